"""A function behind a keyed process function changes the lists that it gets, which lie in a value state."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Grow(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("state", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx):
        values = self.state.value() or []
        values.append(value)
        self.state.update(values)
        yield values


def mark(values):
    values.append("seen")
    return values


def program(env):
    grown = env.from_collection([1, 2, 3], type_info=Types.INT()).key_by(lambda x: 0).process(Grow())
    return grown.disable_chaining().map(mark)
