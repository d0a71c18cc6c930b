"""State of one window is kept between its firings and cleared by the user at its end."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import ProcessWindowFunction
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.datastream.window import CountTrigger, TumblingEventTimeWindows

ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Firings(ProcessWindowFunction):
    def open(self, runtime_context):
        self.own = ValueStateDescriptor("own", Types.INT())
        self.common = ValueStateDescriptor("common", Types.INT())

    def process(self, key, context, elements):
        own = context.window_state().get_state(self.own)
        common = context.global_state().get_state(self.common)
        own.update((own.value() or 0) + 1)
        common.update((common.value() or 0) + 1)
        yield key, context.window().start, own.value(), common.value()

    def clear(self, context):
        context.window_state().get_state(self.own).clear()


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.key_by(lambda v: v[0], key_type=Types.STRING()).window(
        TumblingEventTimeWindows.of(Time.milliseconds(10))
    )
    return windows.trigger(CountTrigger.of(1)).process(Firings())
