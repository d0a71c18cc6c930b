"""A filter keeps a value when what the function returns counts as true in Python, not only for True."""


def program(env):
    return env.from_collection([0, 1, 2, 3]).filter(lambda x: [None, "", "yes", 7][x])
