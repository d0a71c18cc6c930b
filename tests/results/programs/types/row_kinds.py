"""The kind of a row goes through maps and comes out."""

from pyflink.common import Row, RowKind, Types


def program(env):
    numbers = env.from_collection([0, 1, 2, 3], type_info=Types.INT())
    return numbers.map(lambda x: Row.of_kind(RowKind(x), x), output_type=Types.ROW([Types.INT()]))
