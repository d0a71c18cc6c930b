"""A state with a time to live of an hour behaves as one without within that hour."""

from pyflink.common import Time, Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)


def with_time_to_live(descriptor):
    descriptor.enable_time_to_live(
        StateTtlConfig.new_builder(Time.hours(1))
        .set_update_type(StateTtlConfig.UpdateType.OnReadAndWrite)
        .set_state_visibility(StateTtlConfig.StateVisibility.NeverReturnExpired)
        .build()
    )
    return descriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(with_time_to_live(ValueStateDescriptor("count", Types.INT())))
        self.values = runtime_context.get_list_state(
            with_time_to_live(ListStateDescriptor("values", Types.INT()))
        )
        self.table = runtime_context.get_map_state(
            with_time_to_live(MapStateDescriptor("table", Types.INT(), Types.INT()))
        )

    def process_element(self, value, ctx):
        self.count.update((self.count.value() or 0) + 1)
        self.values.add(value)
        self.table.put(value % 2, value)
        yield self.count.value(), list(self.values), sorted(self.table.items())


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
