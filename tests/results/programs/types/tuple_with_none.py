"""None in a field of a declared tuple fails: only rows may have it."""

from pyflink.common import Types

RAISES = "'NoneType' object"


def program(env):
    kind = Types.TUPLE([Types.STRING(), Types.LONG()])
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.map(lambda x: (None, x) if x == 1 else ("b", x), output_type=kind)
