"""Two maps that change their records do not see each other's changes."""

from pyflink.common import Types

ORDER = "any"


def mark(text):
    def change(row):
        row.append(text)
        return row

    return change


def program(env):
    rows = env.from_collection([1, 2, 3], type_info=Types.INT()).map(lambda n: [n])
    return rows.map(mark("a")).union(rows.map(mark("b")), rows.map(lambda row: row))
