"""A FilterFunction is opened, and may hold what it has seen."""

from pyflink.common import Types
from pyflink.datastream import FilterFunction


class FirstTime(FilterFunction):
    def open(self, runtime_context):
        self.seen = set()

    def filter(self, value):
        is_new = value not in self.seen
        self.seen.add(value)
        return is_new


def program(env):
    return env.from_collection(["a", "b", "a", "c", "b"], type_info=Types.STRING()).filter(FirstTime())
