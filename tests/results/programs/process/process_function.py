"""A process function gives any number of values for each value."""

from pyflink.common import Types
from pyflink.datastream import ProcessFunction


class Repeat(ProcessFunction):
    def process_element(self, value, ctx):
        for _ in range(value):
            yield value


def program(env):
    return env.from_collection([0, 2, 1, 3], type_info=Types.INT()).process(Repeat(), output_type=Types.INT())
