"""How values without a declared type are shown."""

SINK = "print"


def program(env):
    values = [1, 1.0, "text", ("a", 1), ["b", 2.5], {"k": "v"}, True]
    env.from_collection(values).print()
