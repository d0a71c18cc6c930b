"""What the next function sees of a declared tuple and of a declared row: type and values."""

from pyflink.common import Row, Types


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    as_tuple = numbers.map(lambda x: (x, "t"), output_type=Types.TUPLE([Types.INT(), Types.STRING()]))
    as_row = numbers.map(
        lambda x: Row(x, "r"), output_type=Types.ROW_NAMED(["n", "s"], [Types.INT(), Types.STRING()])
    )
    return [
        ("tuple", as_tuple.map(lambda v: (type(v).__name__, repr(v)))),
        ("row", as_row.map(lambda v: (type(v).__name__, repr(v)))),
    ]
