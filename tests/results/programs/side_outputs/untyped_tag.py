"""A tag without a type takes any value."""

from pyflink.common import Types
from pyflink.datastream import OutputTag, ProcessFunction

ANY = OutputTag("any")


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield ANY, {"value": value}


def program(env):
    main = env.from_collection([1, 2], type_info=Types.INT()).process(Split(), output_type=Types.INT())
    return main.get_side_output(ANY)
