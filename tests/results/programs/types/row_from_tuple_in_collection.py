"""A tuple in a collection whose type is a named row becomes a row."""

from pyflink.common import Types


def program(env):
    return env.from_collection(
        [(1, "a"), (2, "b")], type_info=Types.ROW_NAMED(["id", "word"], [Types.INT(), Types.STRING()])
    )
