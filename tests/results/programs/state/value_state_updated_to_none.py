"""A value state updated with None."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("state", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx):
        before = self.state.value()
        self.state.update(value or None)
        yield value, before, self.state.value()


def program(env):
    return env.from_collection([1, 0, 2]).key_by(lambda x: 0).process(Show())
