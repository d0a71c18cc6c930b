"""A side output is a stream like any other, with the timestamps of its values."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import OutputTag, ProcessFunction

SIDE = OutputTag("side", Types.INT())


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value * 2


class Split(ProcessFunction):
    def process_element(self, value, ctx):
        yield SIDE, value


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


def program(env):
    stamped = env.from_collection([1, 2, 3], type_info=Types.INT()).assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    main = stamped.process(Split(), output_type=Types.INT())
    return main.get_side_output(SIDE).filter(lambda x: x != 2).process(Times())
