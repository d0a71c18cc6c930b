"""A stream united with itself gives each record twice, and a change of the one leaves the other."""

from pyflink.common import Types

ORDER = "any"


def mark(row):
    row.append("seen")
    return row


def program(env):
    rows = env.from_collection([1, 2, 3], type_info=Types.INT()).map(lambda n: [n])
    return rows.union(rows).map(mark)
