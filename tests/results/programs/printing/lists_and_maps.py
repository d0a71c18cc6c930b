"""How declared lists, arrays and maps are shown."""

from pyflink.common import Types

SINK = "print"
ORDER = "any"


def program(env):
    one = env.from_collection([1], type_info=Types.INT())
    one.map(lambda x: [1, 2], output_type=Types.LIST(Types.INT())).print("list")
    one.map(lambda x: {"k": 1}, output_type=Types.MAP(Types.STRING(), Types.INT())).print("map")
