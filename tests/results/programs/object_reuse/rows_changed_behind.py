"""A map sets a field of a row that lies in the state of a reduce before it."""

from pyflink.common import Row, Types

TYPE = Types.ROW_NAMED(["k", "n"], [Types.INT(), Types.INT()])


def times_ten(row):
    row["n"] = row["n"] * 10
    return row


def program(env):
    rows = env.from_collection([1, 2, 3], type_info=Types.INT()).map(
        lambda n: Row(k=0, n=n), output_type=TYPE
    )
    sums = rows.key_by(lambda row: row["k"]).reduce(lambda a, b: Row(k=a["k"], n=a["n"] + b["n"]))
    return sums.disable_chaining().map(times_ten, output_type=TYPE)
