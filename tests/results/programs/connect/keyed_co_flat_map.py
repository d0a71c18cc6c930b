"""A CoFlatMapFunction over keyed streams has keyed state."""

from pyflink.common import Types
from pyflink.datastream import CoFlatMapFunction
from pyflink.datastream.state import ValueStateDescriptor

ORDER = "any"


class SecondOnes(CoFlatMapFunction):
    def open(self, runtime_context):
        self.seen = [
            runtime_context.get_state(ValueStateDescriptor("seen1", Types.BOOLEAN())),
            runtime_context.get_state(ValueStateDescriptor("seen2", Types.BOOLEAN())),
        ]

    def flat_map1(self, value):
        if self.seen[0].value():
            yield 1, value
        self.seen[0].update(True)

    def flat_map2(self, value):
        if self.seen[1].value():
            yield 2, value
        self.seen[1].update(True)


def program(env):
    left = env.from_collection(["a", "b", "a"], type_info=Types.STRING())
    right = env.from_collection(["a", "c", "c"], type_info=Types.STRING())
    return left.connect(right).key_by(lambda w: w, lambda w: w).flat_map(SecondOnes())
