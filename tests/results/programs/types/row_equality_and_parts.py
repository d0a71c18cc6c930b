"""What a row answers when asked for parts, as a dict and as a text."""

from pyflink.common import Row

SINK = "returned"


def program(env):
    row = Row(a=1, b="x")
    other = Row(1, "x")
    made = Row("a", "b")(1, "x")
    return [
        str(row),
        repr(row),
        str(other),
        repr(other),
        repr(made),
        row == made,
        row == other,
        row.as_dict(),
        list(row),
        len(row),
        "a" in row,
        row.a,
        row["b"],
        row[1],
        str(row.get_row_kind()),
        row.get_fields_by_names(["b"]) if hasattr(row, "get_fields_by_names") else None,
    ]
