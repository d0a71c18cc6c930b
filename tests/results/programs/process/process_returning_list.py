"""A process function that returns a list instead of yielding."""

from pyflink.common import Types
from pyflink.datastream import ProcessFunction


class Twice(ProcessFunction):
    def process_element(self, value, ctx):
        return [value, value]


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).process(Twice(), output_type=Types.INT())
