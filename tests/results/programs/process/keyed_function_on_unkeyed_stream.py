"""A process function that is not keyed is refused by a keyed stream."""

from pyflink.common import Types
from pyflink.datastream import ProcessFunction

RAISES = "KeyedProcessFunction is required for KeyedStream."


class Plain(ProcessFunction):
    def process_element(self, value, ctx):
        yield value


def program(env):
    return env.from_collection([1], type_info=Types.INT()).key_by(lambda x: x).process(Plain())
