"""A None that a flat_map yields is a value like any other to the next function, when no type is declared."""


def program(env):
    return env.from_collection([1, 2]).flat_map(lambda x: [x, None]).map(lambda x: ("seen", x))
