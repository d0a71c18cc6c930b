"""How the kinds of rows are shown."""

from pyflink.common import Row, RowKind, Types

SINK = "print"


def program(env):
    numbers = env.from_collection([0, 1, 2, 3], type_info=Types.INT())
    numbers.map(
        lambda x: Row.of_kind(RowKind(x), x, True), output_type=Types.ROW([Types.INT(), Types.BOOLEAN()])
    ).print()
