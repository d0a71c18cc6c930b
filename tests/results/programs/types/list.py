"""A list of numbers, also an empty one."""

from pyflink.common import Types


def program(env):
    kind = Types.LIST(Types.LONG())
    return env.from_collection([0, 2], type_info=Types.INT()).map(lambda x: list(range(x)), output_type=kind)
