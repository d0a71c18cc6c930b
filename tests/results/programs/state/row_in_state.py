"""A value state of a row gives a row back."""

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        kind = Types.ROW_NAMED(["n", "s"], [Types.INT(), Types.STRING()])
        self.state = runtime_context.get_state(ValueStateDescriptor("row", kind))

    def process_element(self, value, ctx):
        kept = self.state.value()
        yield repr(kept), None if kept is None else kept[0]
        self.state.update(Row(value, str(value)))


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
