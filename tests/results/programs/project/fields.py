"""A projection keeps the fields asked for, in that order."""

from pyflink.common import Types


def program(env):
    triples = env.from_collection(
        [(1, "a", 1.5), (2, "b", 2.5)], type_info=Types.TUPLE([Types.INT(), Types.STRING(), Types.DOUBLE()])
    )
    return [("swapped", triples.project(2, 0)), ("one", triples.project(1)), ("twice", triples.project(0, 0))]
