"""A sum over lists without a declared type."""


def program(env):
    return env.from_collection([["a", 1], ["a", 2], ["b", 3]]).key_by(lambda v: v[0]).sum(1)
