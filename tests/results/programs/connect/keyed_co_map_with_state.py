"""A CoMapFunction over keyed streams has keyed state."""

from pyflink.common import Types
from pyflink.datastream import CoMapFunction
from pyflink.datastream.state import ValueStateDescriptor

ORDER = "any"


class Count(CoMapFunction):
    def open(self, runtime_context):
        self.first = runtime_context.get_state(ValueStateDescriptor("first", Types.INT()))
        self.second = runtime_context.get_state(ValueStateDescriptor("second", Types.INT()))

    def map1(self, value):
        self.first.update((self.first.value() or 0) + 1)
        return "first", value, self.first.value()

    def map2(self, value):
        self.second.update((self.second.value() or 0) + 1)
        return "second", value, self.second.value()


def program(env):
    left = env.from_collection(["a", "b", "a"], type_info=Types.STRING())
    right = env.from_collection(["a", "a", "c"], type_info=Types.STRING())
    return left.connect(right).key_by(lambda w: w, lambda w: w, key_type=Types.STRING()).map(Count())
