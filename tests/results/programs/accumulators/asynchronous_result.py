"""The result of a job that was started without waiting for it."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    env.from_collection([1, 2], Types.INT()).print()
    client = env.execute_async("in the background")
    result = client.get_job_execution_result().result()
    return [
        result.get_all_accumulator_results(),
        str(client.get_job_id()) == str(result.get_job_id()),
    ]
