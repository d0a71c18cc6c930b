"""More values than fit into one bundle keep their order."""

from pyflink.common import Types


def program(env):
    numbers = env.from_collection(list(range(3000)), type_info=Types.INT())
    return numbers.filter(lambda x: x % 500 < 2).map(lambda x: x + 1, output_type=Types.INT())
