"""A filter on a keyed stream that lets only changes pass."""

from pyflink.common import Types
from pyflink.datastream import FilterFunction
from pyflink.datastream.state import ValueStateDescriptor


class Changed(FilterFunction):
    def open(self, runtime_context):
        self.last = runtime_context.get_state(ValueStateDescriptor("last", Types.INT()))

    def filter(self, value):
        is_changed = self.last.value() != value[1]
        self.last.update(value[1])
        return is_changed


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1)],
        type_info=Types.TUPLE([Types.STRING(), Types.INT()]),
    )
    return pairs.key_by(lambda p: p[0]).filter(Changed())
