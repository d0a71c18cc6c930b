"""A row within a row, with a list and a map."""

from pyflink.common import Row, Types


def program(env):
    kind = Types.ROW_NAMED(
        ["inner", "list", "map"],
        [
            Types.ROW_NAMED(["x"], [Types.INT()]),
            Types.LIST(Types.STRING()),
            Types.MAP(Types.STRING(), Types.INT()),
        ],
    )
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.map(lambda x: Row(Row(x), ["a"] * x, {"k": x}), output_type=kind)
