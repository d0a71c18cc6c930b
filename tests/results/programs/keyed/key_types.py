"""Keys may be tuples, strings, floats: anything that can be pickled."""


def program(env):
    values = [(1, "a"), (1, "a"), "x", "x", 1.5, 1.5, True]
    return env.from_collection(values).key_by(lambda x: x).map(lambda x: x)
