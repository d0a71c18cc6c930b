"""Tuples come out as tuples."""

from pyflink.common import Types


def program(env):
    kind = Types.TUPLE([Types.STRING(), Types.LONG()])
    return env.from_collection([("a", 1), ("b", 2)], type_info=kind).map(
        lambda t: (t[0], t[1] + 1), output_type=kind
    )
