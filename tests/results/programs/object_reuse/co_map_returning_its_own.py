"""A CoMap returns one list of its own each time."""

from pyflink.common import Types
from pyflink.datastream import CoMapFunction


class Both(CoMapFunction):
    def open(self, runtime_context):
        self.sizes = []

    def map1(self, value):
        self.sizes.append(1)
        return self.sizes

    def map2(self, value):
        self.sizes.append(1)
        return self.sizes


def program(env):
    one = env.from_collection([1, 2], type_info=Types.INT())
    two = env.from_collection(["a", "b"], type_info=Types.STRING())
    return one.connect(two).map(Both())
