"""A process function that gives nothing at all."""

from pyflink.common import Types
from pyflink.datastream import ProcessFunction


class Silent(ProcessFunction):
    def process_element(self, value, ctx):
        pass


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).process(Silent(), output_type=Types.INT())
