"""A map on a keyed stream may use keyed state."""

from pyflink.common import Types
from pyflink.datastream import MapFunction
from pyflink.datastream.state import ValueStateDescriptor


class Number(MapFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def map(self, value):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        return value, count


def program(env):
    words = env.from_collection(["a", "b", "a", "a", "b"], type_info=Types.STRING())
    return words.key_by(lambda w: w, key_type=Types.STRING()).map(
        Number(), output_type=Types.TUPLE([Types.STRING(), Types.INT()])
    )
