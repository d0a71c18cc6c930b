"""A flat_map on a keyed stream that speaks only for every second value of a key."""

from pyflink.common import Types
from pyflink.datastream import FlatMapFunction
from pyflink.datastream.state import ValueStateDescriptor


class EverySecond(FlatMapFunction):
    def open(self, runtime_context):
        self.kept = runtime_context.get_state(ValueStateDescriptor("kept", Types.STRING()))

    def flat_map(self, value):
        kept = self.kept.value()
        if kept is None:
            self.kept.update(value[1])
        else:
            self.kept.clear()
            yield value[0], kept + value[1]


def program(env):
    pairs = env.from_collection(
        [("a", "1"), ("b", "2"), ("a", "3"), ("a", "4"), ("b", "5"), ("a", "6")],
        type_info=Types.TUPLE([Types.STRING(), Types.STRING()]),
    )
    return pairs.key_by(lambda p: p[0]).flat_map(EverySecond())
