"""A sum by position keeps the other fields of the first value."""

from pyflink.common import Types


def program(env):
    triples = env.from_collection(
        [("a", 1, 1.5), ("b", 2, 2.5), ("a", 3, 3.5), ("a", 4, 4.5)],
        type_info=Types.TUPLE([Types.STRING(), Types.INT(), Types.DOUBLE()]),
    )
    return triples.key_by(lambda t: t[0], key_type=Types.STRING()).sum(1)
