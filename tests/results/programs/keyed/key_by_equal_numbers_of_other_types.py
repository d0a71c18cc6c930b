"""Whether 1, 1.0 and True are one key when the type of the key is left open."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Count(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def process_element(self, value, ctx):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield repr(value), count


def program(env):
    return env.from_collection([1, 1.0, True, 1]).key_by(lambda x: x).process(Count())
