"""A CoFlatMap yields one list, and changes it in between."""

from pyflink.common import Types
from pyflink.datastream import CoFlatMapFunction

ORDER = "any"


class Both(CoFlatMapFunction):
    def flat_map1(self, value):
        values = [value]
        yield values
        values.append("more")
        yield values

    def flat_map2(self, value):
        return self.flat_map1(value)


def program(env):
    one = env.from_collection([1, 2], type_info=Types.INT())
    two = env.from_collection(["a", "b"], type_info=Types.STRING())
    return one.connect(two).flat_map(Both())
