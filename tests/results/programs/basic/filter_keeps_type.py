"""A filter keeps the type of its input, also when that is a named row."""

from pyflink.common import Row, Types


def program(env):
    rows = env.from_collection(
        [Row("a", 1), Row("b", 2)], type_info=Types.ROW_NAMED(["name", "n"], [Types.STRING(), Types.INT()])
    )
    return rows.filter(lambda row: row.n > 1)
