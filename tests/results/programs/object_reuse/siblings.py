"""A map that changes its records does not change those of its sibling."""

from pyflink.common import Types


def mark(row):
    row.append("seen")
    return row


def program(env):
    rows = env.from_collection([1, 2, 3], type_info=Types.INT()).map(lambda n: [n])
    marked = rows.map(mark)
    plain = rows.map(lambda row: [*row, "plain"])
    return marked.union(plain)


ORDER = "any"
