"""Values for a side output that nobody asked for are lost."""

from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction

LOST = OutputTag("lost", Types.INT())


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield LOST, value
        yield -value


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).process(Split(), output_type=Types.INT())
