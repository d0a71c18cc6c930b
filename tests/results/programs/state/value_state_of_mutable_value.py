"""A list that is changed after it was put into a value state without an update."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Grow(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("state", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx):
        kept = self.state.value()
        if kept is None:
            kept = []
            self.state.update(kept)
        kept.append(value)
        yield list(self.state.value())


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).key_by(lambda x: 0).process(Grow())
