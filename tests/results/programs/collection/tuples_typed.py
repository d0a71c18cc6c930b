"""A collection of tuples with a declared type."""

from pyflink.common import Types


def program(env):
    return env.from_collection([(1, "a"), (2, "b")], type_info=Types.TUPLE([Types.INT(), Types.STRING()]))
