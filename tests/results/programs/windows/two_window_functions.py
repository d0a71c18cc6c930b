"""One keyed stream with two windows gives the results of both."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.window import TumblingEventTimeWindows

ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    keyed = stamped.key_by(lambda v: v[0], key_type=Types.STRING())
    small = keyed.window(TumblingEventTimeWindows.of(Time.milliseconds(5))).reduce(
        lambda x, y: (x[0], x[1] + y[1])
    )
    large = keyed.window(TumblingEventTimeWindows.of(Time.milliseconds(20))).reduce(
        lambda x, y: (x[0], x[1] + y[1])
    )
    return [("small", small), ("large", large)]
