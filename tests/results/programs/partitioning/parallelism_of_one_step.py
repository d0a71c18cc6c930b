"""A step may have a parallelism of its own."""

from pyflink.datastream import MapFunction

PARALLELISM = 2
ORDER = "any"


class Parallelism(MapFunction):
    def open(self, runtime_context):
        self.seen = runtime_context.get_number_of_parallel_subtasks()

    def map(self, value):
        return [*value, self.seen]


def program(env):
    values = env.from_collection([[1], [2]])
    return values.map(Parallelism()).map(Parallelism()).set_parallelism(1).map(Parallelism())
