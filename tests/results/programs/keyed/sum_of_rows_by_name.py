"""A sum over rows by the name of a field."""

from pyflink.common import Row, Types


def program(env):
    rows = env.from_collection(
        [Row("a", 1), Row("b", 5), Row("a", 2)],
        type_info=Types.ROW_NAMED(["name", "n"], [Types.STRING(), Types.INT()]),
    )
    return rows.key_by(lambda row: row.name, key_type=Types.STRING()).sum("n")
