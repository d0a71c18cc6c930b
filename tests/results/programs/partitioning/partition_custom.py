"""A partitioner of the user's own chooses the subtask."""

from pyflink.common import Types
from pyflink.datastream import MapFunction

PARALLELISM = 2
ORDER = "any"


class Subtask(MapFunction):
    def open(self, runtime_context):
        self.index = runtime_context.get_index_of_this_subtask()

    def map(self, value):
        return value, self.index


def program(env):
    numbers = env.from_collection(list(range(8)), type_info=Types.INT())
    return numbers.partition_custom(lambda key, partitions: key // 2 % partitions, lambda x: x).map(Subtask())
