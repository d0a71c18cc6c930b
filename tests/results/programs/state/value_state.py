"""A value state is None at first, and None again after clear."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("state", Types.INT()))

    def process_element(self, value, ctx):
        before = self.state.value()
        if value < 0:
            self.state.clear()
        else:
            self.state.update(value)
        yield value, before, self.state.value()


def program(env):
    return env.from_collection([1, 2, -1, 3], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
