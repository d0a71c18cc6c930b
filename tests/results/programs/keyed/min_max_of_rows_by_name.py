"""Min, max, min_by and max_by over rows by the name of a field."""

from pyflink.common import Row, Types


def program(env):
    rows = env.from_collection(
        [Row("a", 2, "p"), Row("a", 1, "q"), Row("a", 3, "r")],
        type_info=Types.ROW_NAMED(["name", "n", "tag"], [Types.STRING(), Types.INT(), Types.STRING()]),
    )
    keyed = rows.key_by(lambda row: row.name, key_type=Types.STRING())
    return [
        ("min", keyed.min("n")),
        ("max", keyed.max("n")),
        ("min_by", keyed.min_by("n")),
        ("max_by", keyed.max_by("n")),
    ]
