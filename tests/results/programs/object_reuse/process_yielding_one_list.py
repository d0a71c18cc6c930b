"""A process function yields one list twice, and changes it in between and afterwards."""

from pyflink.common import Types
from pyflink.datastream import ProcessFunction


class Twice(ProcessFunction):
    def process_element(self, value, ctx):
        values = [value]
        yield values
        values.append("more")
        yield values
        values.append("lost")


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).process(Twice())
