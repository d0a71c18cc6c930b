"""A union of three streams, with a map behind it."""

from pyflink.common import Types

ORDER = "any"


def program(env):
    streams = [env.from_collection([i, i * 10], type_info=Types.INT()) for i in (1, 2, 3)]
    return streams[0].union(*streams[1:]).map(lambda x: x + 1, output_type=Types.INT())
