"""The timestamp of a count window's result."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction

ORDER = "any"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return (
        stamped.key_by(lambda v: v[0], key_type=Types.STRING())
        .count_window(2)
        .reduce(lambda x, y: (x[0], x[1] + y[1]))
        .process(Times())
    )
