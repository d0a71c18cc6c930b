"""A global job parameter is seen by functions, and a missing one gives the default."""

from pyflink.datastream import MapFunction


class Parameters(MapFunction):
    def open(self, runtime_context):
        self.seen = (
            runtime_context.get_job_parameter("greeting", "none"),
            runtime_context.get_job_parameter("missing", "none"),
        )

    def map(self, value):
        return self.seen


def program(env):
    env.get_config().set_global_job_parameters({"greeting": "hello"})
    return env.from_collection([1]).map(Parameters())
