"""A job executed asynchronously gives a client, and the client the result."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    env.from_collection([1], type_info=Types.INT()).map(lambda x: x, output_type=Types.INT()).print()
    client = env.execute_async("a name")
    result = client.get_job_execution_result().result()
    return [
        type(client).__name__,
        len(str(client.get_job_id())),
        str(result.get_job_id()) == str(client.get_job_id()),
    ]
