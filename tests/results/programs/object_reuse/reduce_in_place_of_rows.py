"""A reduce function adds into the row that is its first argument."""

from pyflink.common import Row, Types

TYPE = Types.ROW_NAMED(["k", "n"], [Types.INT(), Types.INT()])


def add(a, b):
    a["n"] = a["n"] + b["n"]
    return a


def program(env):
    rows = env.from_collection([1, 2, 3], type_info=Types.INT()).map(
        lambda n: Row(k=0, n=n), output_type=TYPE
    )
    return rows.key_by(lambda row: row["k"]).reduce(add)
