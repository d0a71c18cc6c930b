"""How rows with and without names are shown."""

from pyflink.common import Row, Types

SINK = "print"


def program(env):
    kind = Types.ROW_NAMED(["n", "s", "x"], [Types.INT(), Types.STRING(), Types.DOUBLE()])
    env.from_collection([Row(1, "a", 1.5), Row(2, None, 0.0)], type_info=kind).print()
