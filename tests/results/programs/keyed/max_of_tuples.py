"""A max by position keeps the other fields of the first value."""

from pyflink.common import Types


def program(env):
    triples = env.from_collection(
        [("a", 2, "first"), ("a", 1, "second"), ("a", 3, "third")],
        type_info=Types.TUPLE([Types.STRING(), Types.INT(), Types.STRING()]),
    )
    return triples.key_by(lambda t: t[0]).max(1)
