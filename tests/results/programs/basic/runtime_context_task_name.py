"""The task names that a function sees in its runtime context."""

from pyflink.datastream import MapFunction


class TaskName(MapFunction):
    def open(self, runtime_context):
        self.seen = (runtime_context.get_task_name(), runtime_context.get_task_name_with_subtasks())

    def map(self, value):
        return self.seen


def program(env):
    return env.from_collection([1]).map(TaskName()).name("mine")
