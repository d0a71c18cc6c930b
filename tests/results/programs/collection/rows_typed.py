"""A collection of rows with declared names."""

from pyflink.common import Row, Types


def program(env):
    kind = Types.ROW_NAMED(["id", "values"], [Types.INT(), Types.LIST(Types.INT())])
    return env.from_collection([Row(1, [1, 2]), Row(2, [])], type_info=kind)
