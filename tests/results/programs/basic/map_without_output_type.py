"""A map without an output type keeps any Python value as it is."""


def program(env):
    return env.from_collection([1, 2, 3]).map(lambda x: {"x": x, "half": x / 2, "parts": (x, [x])})
