"""A sum over rows without names by position."""

from pyflink.common import Row, Types


def program(env):
    rows = env.from_collection(
        [Row("a", 1), Row("b", 5), Row("a", 2)], type_info=Types.ROW([Types.STRING(), Types.INT()])
    )
    return rows.key_by(lambda row: row[0], key_type=Types.STRING()).sum(1)
