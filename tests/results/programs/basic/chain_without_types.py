"""A chain of steps without any declared type passes Python objects on unchanged."""


def program(env):
    return (
        env.from_collection([("a", [1, 2]), ("b", [])])
        .map(lambda pair: {pair[0]: set(pair[1])})
        .filter(lambda item: isinstance(item, dict))
        .map(lambda item: (item, frozenset(item)))
    )
