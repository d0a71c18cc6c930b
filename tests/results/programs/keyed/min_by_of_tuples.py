"""A min_by gives the whole value that has the least field, the first of equals."""

from pyflink.common import Types


def program(env):
    triples = env.from_collection(
        [("a", 3, "first"), ("a", 1, "second"), ("a", 1, "third"), ("a", 2, "fourth")],
        type_info=Types.TUPLE([Types.STRING(), Types.INT(), Types.STRING()]),
    )
    return triples.key_by(lambda t: t[0]).min_by(1)
