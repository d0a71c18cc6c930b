"""A projection of a keyed stream projects its values."""

from pyflink.common import Types


def program(env):
    pairs = env.from_collection([(1, "a"), (2, "b")], type_info=Types.TUPLE([Types.INT(), Types.STRING()]))
    return pairs.key_by(lambda p: p[0]).project(1)
