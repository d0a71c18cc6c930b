"""What a map gives that returns a Row with names in another order than declared."""

from pyflink.common import Row, Types


def program(env):
    named = Types.ROW_NAMED(["id", "word"], [Types.INT(), Types.STRING()])
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.map(lambda x: Row(word=str(x), id=x), output_type=named)
