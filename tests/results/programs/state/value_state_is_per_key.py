"""Each key has its own value state."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Last(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("last", Types.STRING()))

    def process_element(self, value, ctx):
        yield value, self.state.value()
        self.state.update(value)


def program(env):
    words = env.from_collection(["a1", "b1", "a2", "c1", "b2", "a3"], type_info=Types.STRING())
    return words.key_by(lambda w: w[0], key_type=Types.STRING()).process(Last())
