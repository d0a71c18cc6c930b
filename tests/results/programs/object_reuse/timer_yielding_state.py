"""Timers yield the list in a value state and go on changing it."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ValueStateDescriptor


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Fire(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("state", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)

    def on_timer(self, timestamp, ctx):
        times = self.state.value() or []
        times.append(timestamp)
        self.state.update(times)
        yield times


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    return numbers.assign_timestamps_and_watermarks(strategy).key_by(lambda x: 0).process(Fire())
