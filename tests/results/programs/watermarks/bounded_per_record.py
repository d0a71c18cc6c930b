"""The watermark of bounded disorder is the greatest timestamp less the bound less one millisecond."""

from pyflink.common import Duration, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction

WATERMARKS = "per_record"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Show(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


def program(env):
    numbers = env.from_collection([5, 19, 7, 30], type_info=Types.INT())
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(10)).with_timestamp_assigner(
        Own()
    )
    return numbers.assign_timestamps_and_watermarks(strategy).process(Show())
