"""With a watermark after each record, windows fire as soon as it has passed their end."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction
from pyflink.datastream.functions import ProcessWindowFunction
from pyflink.datastream.window import TumblingEventTimeWindows

WATERMARKS = "per_record"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Forward(ProcessFunction):
    def process_element(self, value, ctx):
        yield value[1]


class Show(ProcessWindowFunction):
    def process(self, key, context, elements):
        yield context.window().start, context.current_watermark(), list(elements)


def program(env):
    pairs = env.from_collection(
        [("a", 3), ("a", 10), ("a", 11), ("a", 9), ("a", 31)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return (
        stamped.process(Forward())
        .key_by(lambda v: "all")
        .window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
        .process(Show())
    )
