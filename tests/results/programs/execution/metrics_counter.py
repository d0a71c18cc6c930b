"""A counter and a gauge may be registered by a function, and the counter counts."""

from pyflink.common import Types
from pyflink.datastream import MapFunction


class Counting(MapFunction):
    def open(self, runtime_context):
        group = runtime_context.get_metrics_group()
        self.counter = group.counter("seen")
        group.gauge("level", lambda: 7)
        self.histogram = group.add_group("more").distribution("sizes")

    def map(self, value):
        self.counter.inc()
        self.counter.inc(2)
        self.histogram.update(value)
        return self.counter.get_count()


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).map(Counting())
