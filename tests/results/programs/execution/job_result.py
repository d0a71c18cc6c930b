"""The result of a job: its id is thirty-two hexadecimal digits, and it has no accumulators."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    env.from_collection([1], type_info=Types.INT()).map(lambda x: x, output_type=Types.INT()).print()
    result = env.execute("a name")
    return [
        len(str(result.get_job_id())),
        type(result.get_net_runtime()).__name__,
        result.get_net_runtime() >= 0,
        result.get_all_accumulator_results(),
        type(result).__name__,
    ]
