"""The status of a job that has finished."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    env.from_collection([1], type_info=Types.INT()).print()
    client = env.execute_async("a name")
    client.get_job_execution_result().result()
    return [str(client.get_job_status().result())]
