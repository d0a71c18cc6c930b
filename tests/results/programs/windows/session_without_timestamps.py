"""An event-time session window over values without a timestamp: all are in one session, at the beginning of time."""

from pyflink.common import Time, Types
from pyflink.datastream.window import EventTimeSessionWindows


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9)], type_info=Types.TUPLE([Types.STRING(), Types.LONG()])
    )
    return (
        pairs.key_by(lambda v: v[0])
        .window(EventTimeSessionWindows.with_gap(Time.milliseconds(5)))
        .reduce(lambda x, y: (x[0], x[1] + y[1]))
    )
