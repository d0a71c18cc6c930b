"""A count window of four that slides by two."""

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
        [("a", i) for i in range(9)], type_info=Types.TUPLE([Types.STRING(), Types.LONG()])
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.key_by(lambda v: v[0], key_type=Types.STRING()).count_window(4, 2).apply(Show())
