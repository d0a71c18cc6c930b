"""A dict in a collection whose type is a named row becomes a row."""

from pyflink.common import Types


def program(env):
    return env.from_collection(
        [{"id": 1, "word": "a"}, {"word": "b", "id": 2}],
        type_info=Types.ROW_NAMED(["id", "word"], [Types.INT(), Types.STRING()]),
    )
