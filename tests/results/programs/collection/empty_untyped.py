"""An empty collection."""

SINK = "returned"


def program(env):
    try:
        with env.from_collection([]).execute_and_collect() as values:
            return list(values)
    except Exception as error:
        return ["failed", type(error).__name__]
