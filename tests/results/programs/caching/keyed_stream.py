"""A keyed stream cannot be cached."""

MODE = "BATCH"
RAISES = "Cache for KeyedStream is not supported"


def program(env):
    return env.from_collection([1]).key_by(lambda x: x).cache()
