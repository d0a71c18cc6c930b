"""In batch mode the timers of a key fire after all its values, before those of the next key."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction

MODE = "BATCH"
ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value[1] + 1)
        yield ctx.get_current_key(), "element", value[1]

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), "timer", timestamp, ctx.timer_service().current_watermark()


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 20), ("a", 10), ("b", 2)], type_info=Types.TUPLE([Types.STRING(), Types.LONG()])
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.key_by(lambda p: p[0], key_type=Types.STRING()).process(Timers())
