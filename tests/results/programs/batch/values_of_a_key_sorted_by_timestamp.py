"""In batch mode a keyed function gets the values of a key in the order of their timestamps."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction

MODE = "BATCH"
ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Show(KeyedProcessFunction):
    def process_element(self, value, ctx):
        yield value[0], value[1], ctx.timestamp(), ctx.timer_service().current_watermark()


def program(env):
    pairs = env.from_collection(
        [("a", 5), ("b", 2), ("a", 1), ("b", 1), ("a", 3)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.key_by(lambda p: p[0], key_type=Types.STRING()).process(Show())
