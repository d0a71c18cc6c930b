"""In batch mode sessions merge as in streaming mode."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import WindowFunction
from pyflink.datastream.window import EventTimeSessionWindows

MODE = "BATCH"
ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Show(WindowFunction):
    def apply(self, key, window, inputs):
        return [(key, window.start, window.end, [value[1] for value in inputs])]


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 25), ("a", 9), ("a", 5)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    sessions = stamped.key_by(lambda p: p[0], key_type=Types.STRING()).window(
        EventTimeSessionWindows.with_gap(Time.milliseconds(5))
    )
    return sessions.apply(Show())
