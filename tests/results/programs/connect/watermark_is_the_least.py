"""The watermark of connected streams is the least of both: one that has none holds back the other to the end."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedCoProcessFunction

ORDER = "any"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Timers(KeyedCoProcessFunction):
    def process_element1(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)

    def process_element2(self, value, ctx):
        pass

    def on_timer(self, timestamp, ctx):
        yield timestamp, ctx.timer_service().current_watermark()


def program(env):
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    first = env.from_collection([10, 100], type_info=Types.INT()).assign_timestamps_and_watermarks(strategy)
    second = env.from_collection([5, 50], type_info=Types.INT()).assign_timestamps_and_watermarks(strategy)
    keyed = first.connect(second).key_by(lambda x: 0, lambda x: 0)
    return keyed.process(Timers())
