"""An event-time window over values without a timestamp fails."""

from pyflink.common import Time, Types
from pyflink.datastream.window import TumblingEventTimeWindows

RAISES = "Record has Java Long.MIN_VALUE timestamp"


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    return (
        pairs.key_by(lambda v: v[0])
        .window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
        .reduce(lambda x, y: x)
    )
