"""At parallelism two with an identifier."""

from pyflink.common import Types

SINK = "print"
PARALLELISM = 2
ORDER = "any"


def program(env):
    keyed = env.from_collection(list(range(6)), type_info=Types.INT()).key_by(
        lambda x: x, key_type=Types.INT()
    )
    keyed.map(lambda x: x, output_type=Types.INT()).print("id")
