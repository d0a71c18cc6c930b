"""A rebalance gives each subtask every second value."""

from pyflink.common import Types
from pyflink.datastream import MapFunction

PARALLELISM = 2
SINK = "returned"


class Subtask(MapFunction):
    def open(self, runtime_context):
        self.index = runtime_context.get_index_of_this_subtask()

    def map(self, value):
        return value, self.index


def program(env):
    numbers = env.from_collection(list(range(6)), type_info=Types.INT())
    with numbers.rebalance().map(Subtask()).execute_and_collect() as pairs:
        groups = {}
        for value, index in pairs:
            groups.setdefault(index, []).append(value)
    return sorted(sorted(values) for values in groups.values())
