"""A None that a map returns is a value like any other to the next function, when no type is declared."""


def program(env):
    return env.from_collection([1, 2]).map(lambda x: None if x == 1 else x).map(lambda x: ("seen", x))
