"""An array of rows."""

from pyflink.common import Row, Types


def program(env):
    kind = Types.OBJECT_ARRAY(Types.ROW([Types.INT()]))
    return env.from_collection([1, 2], type_info=Types.INT()).map(
        lambda x: [Row(x), Row(-x)], output_type=kind
    )
