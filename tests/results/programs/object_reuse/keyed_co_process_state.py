"""A keyed co-process function yields the list in its state from both sides."""

from pyflink.common import Types
from pyflink.datastream import KeyedCoProcessFunction
from pyflink.datastream.state import ValueStateDescriptor

ORDER = "any"


class Both(KeyedCoProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("state", Types.PICKLED_BYTE_ARRAY()))

    def process_element1(self, value, ctx):
        values = self.state.value() or []
        values.append(1)
        self.state.update(values)
        yield values

    def process_element2(self, value, ctx):
        return self.process_element1(value, ctx)


def program(env):
    one = env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: 0)
    two = env.from_collection([3, 4], type_info=Types.INT()).key_by(lambda x: 0)
    return one.connect(two).process(Both())
