"""A max_by gives the whole value that has the greatest field, the first of equals."""

from pyflink.common import Types


def program(env):
    triples = env.from_collection(
        [("a", 1, "first"), ("a", 3, "second"), ("a", 3, "third"), ("a", 2, "fourth")],
        type_info=Types.TUPLE([Types.STRING(), Types.INT(), Types.STRING()]),
    )
    return triples.key_by(lambda t: t[0]).max_by(1)
