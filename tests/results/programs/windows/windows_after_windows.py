"""Windows over the results of windows of the same size see them in the same windows."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import ProcessAllWindowFunction
from pyflink.datastream.window import TumblingEventTimeWindows


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Show(ProcessAllWindowFunction):
    def process(self, context, elements):
        yield context.window().start, sorted(elements)


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    size = Time.milliseconds(10)
    sums = (
        stamped.key_by(lambda v: v[0], key_type=Types.STRING())
        .window(TumblingEventTimeWindows.of(size))
        .reduce(lambda x, y: (x[0], x[1] + y[1]))
    )
    return sums.window_all(TumblingEventTimeWindows.of(size)).process(Show())
