"""Rows without declared names get the names f0, f1 and so on."""

from pyflink.common import Row, Types


def program(env):
    rows = env.from_collection([Row(1, "a")], type_info=Types.ROW([Types.INT(), Types.STRING()]))
    return rows.map(
        lambda row: Row(row[0] + 1, row[1] * 2), output_type=Types.ROW([Types.INT(), Types.STRING()])
    )
