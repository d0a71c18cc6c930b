"""The result of a job that has no accumulators."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    env.from_collection([1, 2], Types.INT()).map(lambda n: n + 1, Types.INT()).print()
    result = env.execute("named")
    return [
        result.get_all_accumulator_results(),
        result.get_net_runtime() >= 0,
        len(str(result.get_job_id())),
        "Job execution result" in str(result) or "Program execution finished" in str(result),
    ]
