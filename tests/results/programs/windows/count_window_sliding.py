"""A count window with a slide: which values are together."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import WindowFunction

ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Show(WindowFunction):
    def apply(self, key, window, inputs):
        return [(key, window.id, [v[1] for v in inputs])]


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("a", 2), ("b", 9), ("a", 3), ("a", 4), ("a", 5), ("b", 8)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.key_by(lambda v: v[0], key_type=Types.STRING()).count_window(3, 1).apply(Show())
