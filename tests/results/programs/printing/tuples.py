"""How a declared tuple is shown."""

from pyflink.common import Types

SINK = "print"


def program(env):
    kind = Types.TUPLE([Types.INT(), Types.STRING(), Types.DOUBLE(), Types.BOOLEAN()])
    env.from_collection([(1, "a", 1.5, True), (2, "", 0.0, False)], type_info=kind).print()
