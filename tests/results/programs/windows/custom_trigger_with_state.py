"""A trigger of the user's own with partitioned state: each window has its own count."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import WindowFunction
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.datastream.window import Trigger, TriggerResult, TumblingEventTimeWindows

ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Count(WindowFunction):
    def apply(self, key, window, inputs):
        return [(key, window.start, window.end, len(list(inputs)))]


class Third(Trigger):
    def __init__(self):
        self.descriptor = ValueStateDescriptor("seen", Types.INT())

    def on_element(self, element, timestamp, window, ctx):
        seen = ctx.get_partitioned_state(self.descriptor)
        seen.update((seen.value() or 0) + 1)
        return TriggerResult.FIRE if seen.value() % 3 == 0 else TriggerResult.CONTINUE

    def on_processing_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_event_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_merge(self, window, ctx):
        pass

    def clear(self, window, ctx):
        ctx.get_partitioned_state(self.descriptor).clear()


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("a", 11), ("a", 2), ("a", 12), ("a", 3), ("a", 4), ("a", 13), ("a", 14)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.key_by(lambda v: v[0], key_type=Types.STRING()).window(
        TumblingEventTimeWindows.of(Time.milliseconds(10))
    )
    return windows.trigger(Third()).apply(Count())
