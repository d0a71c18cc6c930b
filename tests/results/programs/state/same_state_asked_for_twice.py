"""Two states of one function with one name are one state."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.first = runtime_context.get_state(ValueStateDescriptor("same", Types.INT()))
        self.second = runtime_context.get_state(ValueStateDescriptor("same", Types.INT()))

    def process_element(self, value, ctx):
        self.first.update(value)
        yield self.second.value()


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
