"""A cached stream is read by two jobs, which see the same rows."""

MODE = "BATCH"
SINK = "returned"


def program(env):
    cached = env.from_collection([3, 1, 2]).map(lambda x: x * 10).cache()
    with cached.map(lambda x: x + 1).execute_and_collect() as results:
        first = sorted(results)
    with cached.execute_and_collect() as results:
        second = sorted(results)
    return [("first", first), ("second", second)]
