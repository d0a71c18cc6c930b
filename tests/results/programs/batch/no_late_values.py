"""In batch mode no value is late, however disordered the input and eager the watermarks."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.window import TumblingEventTimeWindows

MODE = "BATCH"
ORDER = "per_key"
WATERMARKS = "per_record"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def program(env):
    pairs = env.from_collection(
        [("a", 50), ("a", 1), ("a", 25), ("a", 9)], type_info=Types.TUPLE([Types.STRING(), Types.LONG()])
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.key_by(lambda p: p[0], key_type=Types.STRING()).window(
        TumblingEventTimeWindows.of(Time.milliseconds(10))
    )
    return windows.reduce(lambda x, y: (x[0], x[1] + y[1]))
