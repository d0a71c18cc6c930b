"""At the end of the input the bounded strategy's last watermark comes before the greatest there is."""

from pyflink.common import Duration, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Show(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)

    def on_timer(self, timestamp, ctx):
        yield timestamp, ctx.timer_service().current_watermark()


def program(env):
    numbers = env.from_collection([5, 19, 7, 30], type_info=Types.INT())
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(10)).with_timestamp_assigner(
        Own()
    )
    return numbers.assign_timestamps_and_watermarks(strategy).key_by(lambda x: 0).process(Show())
