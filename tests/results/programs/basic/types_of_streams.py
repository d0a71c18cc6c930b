"""The types that streams have when one was declared, and when none was."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    pairs = env.from_collection([(1, "a")], type_info=Types.TUPLE([Types.INT(), Types.STRING()]))
    untyped = env.from_collection([1])
    streams = [
        pairs,
        untyped,
        pairs.filter(lambda x: True),
        pairs.map(lambda x: x),
        pairs.map(lambda x: x[0], output_type=Types.INT()),
        pairs.key_by(lambda x: x[0]).sum(0),
        pairs.union(pairs),
        pairs.project(1),
    ]
    return [str(stream.get_type()) for stream in streams]
