"""A collection without a type keeps its Python values, of different types."""


def program(env):
    return env.from_collection([1, "a", (1, 2), [3], {"x": 1}, 2.5, True])
