"""A cached stream has no operator settings of its own."""

MODE = "BATCH"
RAISES = "Set parallelism for CachedDataStream is not supported"


def program(env):
    return env.from_collection([1]).map(lambda x: x).cache().set_parallelism(1)
