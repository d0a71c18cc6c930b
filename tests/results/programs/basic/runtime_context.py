"""What a function of parallelism one sees in its runtime context."""

from pyflink.datastream import MapFunction


class Context(MapFunction):
    def open(self, runtime_context):
        self.seen = (
            runtime_context.get_number_of_parallel_subtasks(),
            runtime_context.get_index_of_this_subtask(),
            runtime_context.get_attempt_number(),
        )

    def map(self, value):
        return self.seen


def program(env):
    return env.from_collection([1]).map(Context())
