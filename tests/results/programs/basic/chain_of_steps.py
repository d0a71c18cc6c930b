"""Map, filter and flat_map one after the other keep the order of the input."""

from pyflink.common import Types


def program(env):
    numbers = env.from_collection(list(range(6)), type_info=Types.INT())
    return (
        numbers.map(lambda x: x + 1, output_type=Types.INT())
        .filter(lambda x: x % 2 == 0)
        .flat_map(lambda x: [x, -x], output_type=Types.INT())
        .map(lambda x: f"<{x}>", output_type=Types.STRING())
    )
