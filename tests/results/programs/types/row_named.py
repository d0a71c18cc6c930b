"""Rows with declared names are read by name and by position."""

from pyflink.common import Row, Types


def program(env):
    named = Types.ROW_NAMED(["id", "word"], [Types.INT(), Types.STRING()])
    rows = env.from_collection([Row(1, "a"), Row(2, "b")], type_info=named)
    return rows.map(lambda row: Row(row.id + row[0], row["word"]), output_type=named)
