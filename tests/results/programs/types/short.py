"""The ends of a short."""

from pyflink.common import Types


def program(env):
    return env.from_collection([-32768, 32767], type_info=Types.SHORT()).map(
        lambda x: x, output_type=Types.SHORT()
    )
