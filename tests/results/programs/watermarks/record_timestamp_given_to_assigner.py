"""What the assigner is told as the timestamp that the value has already, at first and when assigned again."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return 100 if record_timestamp is None or record_timestamp < 0 else record_timestamp + value


class Show(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    once = numbers.assign_timestamps_and_watermarks(strategy)
    return [
        ("once", once.process(Show())),
        ("twice", once.assign_timestamps_and_watermarks(strategy).process(Show())),
    ]
