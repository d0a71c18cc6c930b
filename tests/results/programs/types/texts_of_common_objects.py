"""What str gives of windows, times, settings and types of streams, as users compare and print them."""

from pyflink.common import Configuration, RowKind, Time, Types
from pyflink.common.typeinfo import BasicType, ExternalTypeInfo, LocalTimeTypeInfo
from pyflink.datastream import OutputTag, RuntimeExecutionMode, TimeDomain
from pyflink.datastream.connectors import DeliveryGuarantee
from pyflink.datastream.slot_sharing_group import MemorySize
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor, StateTtlConfig
from pyflink.datastream.window import (
    CountWindow,
    EventTimeSessionWindows,
    GlobalWindow,
    GlobalWindows,
    SlidingEventTimeWindows,
    TimeWindow,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

SINK = "returned"


def program(env):
    unnamed = env.from_collection([(1, "a")], Types.ROW([Types.INT(), Types.STRING()]))
    pairs = env.from_collection([(1, "a")], Types.TUPLE([Types.INT(), Types.STRING()]))
    values = [
        TimeWindow(1, 2),
        CountWindow(3),
        TumblingEventTimeWindows.of(Time.seconds(5), Time.seconds(1)),
        TumblingProcessingTimeWindows.of(Time.seconds(5)),
        SlidingEventTimeWindows.of(Time.seconds(5), Time.seconds(1)),
        EventTimeSessionWindows.with_gap(Time.seconds(5)),
        GlobalWindows.create(),
        TriggerResult.FIRE_AND_PURGE,
        Time.seconds(5),
        MemorySize.of_mebi_bytes(100),
        RuntimeExecutionMode.BATCH,
        TimeDomain.EVENT_TIME,
        DeliveryGuarantee.AT_LEAST_ONCE,
        RowKind.UPDATE_AFTER,
        Configuration().set_string("a", "b"),
        StateTtlConfig.new_builder(Time.seconds(1)).build(),
        StateTtlConfig.new_builder(Time.seconds(1)).build().get_ttl(),
        ListStateDescriptor("a", Types.INT()).type_info,
        MapStateDescriptor("a", Types.INT(), Types.STRING()).type_info,
        BasicType.STRING,
        ExternalTypeInfo(Types.INT()),
        LocalTimeTypeInfo(LocalTimeTypeInfo.TimeType.LOCAL_DATE),
        OutputTag("a", [Types.INT()]).type_info,
        unnamed.get_type(),
        unnamed.filter(lambda row: True).get_type(),
        unnamed.map(lambda row: row).get_type(),
        pairs.get_type(),
        pairs.key_by(lambda pair: pair[0]).sum(0).get_type(),
        pairs.project(1).get_type(),
        env.from_collection([1.5]).get_type(),
    ]
    return [*map(str, values), GlobalWindow() == GlobalWindow(), RowKind.DELETE.value]
