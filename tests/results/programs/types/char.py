"""One letter."""

from pyflink.common import Types


def program(env):
    return env.from_collection(["a", "b"], type_info=Types.STRING()).map(
        lambda x: x, output_type=Types.CHAR()
    )
