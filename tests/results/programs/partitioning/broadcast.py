"""A broadcast gives every value to each of two subtasks."""

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
    return env.from_collection([1, 2, 3], type_info=Types.INT()).broadcast().map(Subtask())
