"""The DataStream API.

``StreamExecutionEnvironment`` lives above this package, as it knows how programs run, too; it is found on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.contracts.broadcast_functions import (
        BaseBroadcastProcessFunction,
        BroadcastProcessFunction,
        KeyedBroadcastProcessFunction,
    )
    from penstock.contracts.context import RuntimeContext, TimeDomain, TimerService
    from penstock.contracts.functions import (
        AggregateFunction,
        AllWindowFunction,
        CoFlatMapFunction,
        CoMapFunction,
        CoProcessFunction,
        FilterFunction,
        FlatMapFunction,
        KeyedCoProcessFunction,
        KeyedProcessFunction,
        KeySelector,
        MapFunction,
        Partitioner,
        ProcessAllWindowFunction,
        ProcessFunction,
        ProcessWindowFunction,
        ReduceFunction,
        WindowFunction,
    )
    from penstock.contracts.output_tag import OutputTag
    from penstock.dataflow.logical import ExecutionMode as RuntimeExecutionMode
    from penstock.datastream.broadcast import BroadcastConnectedStream, BroadcastStream
    from penstock.datastream.collected import CloseableIterator
    from penstock.datastream.connected import ConnectedStreams
    from penstock.datastream.keyed import KeyedStream
    from penstock.datastream.sink_handle import DataStreamSink
    from penstock.datastream.stream import DataStream
    from penstock.environment import StreamExecutionEnvironment

_WHERE = {
    "AggregateFunction": "penstock.contracts.functions",
    "AllWindowFunction": "penstock.contracts.functions",
    "BaseBroadcastProcessFunction": "penstock.contracts.broadcast_functions",
    "BroadcastConnectedStream": "penstock.datastream.broadcast",
    "BroadcastProcessFunction": "penstock.contracts.broadcast_functions",
    "BroadcastStream": "penstock.datastream.broadcast",
    "CloseableIterator": "penstock.datastream.collected",
    "CoFlatMapFunction": "penstock.contracts.functions",
    "CoMapFunction": "penstock.contracts.functions",
    "CoProcessFunction": "penstock.contracts.functions",
    "ConnectedStreams": "penstock.datastream.connected",
    "DataStream": "penstock.datastream.stream",
    "DataStreamSink": "penstock.datastream.sink_handle",
    "FilterFunction": "penstock.contracts.functions",
    "FlatMapFunction": "penstock.contracts.functions",
    "KeySelector": "penstock.contracts.functions",
    "KeyedBroadcastProcessFunction": "penstock.contracts.broadcast_functions",
    "KeyedCoProcessFunction": "penstock.contracts.functions",
    "KeyedProcessFunction": "penstock.contracts.functions",
    "KeyedStream": "penstock.datastream.keyed",
    "MapFunction": "penstock.contracts.functions",
    "OutputTag": "penstock.contracts.output_tag",
    "Partitioner": "penstock.contracts.functions",
    "ProcessAllWindowFunction": "penstock.contracts.functions",
    "ProcessFunction": "penstock.contracts.functions",
    "ProcessWindowFunction": "penstock.contracts.functions",
    "ReduceFunction": "penstock.contracts.functions",
    "RuntimeContext": "penstock.contracts.context",
    "RuntimeExecutionMode": "penstock.dataflow.logical:ExecutionMode",
    "StreamExecutionEnvironment": "penstock.environment",
    "TimeDomain": "penstock.contracts.context",
    "TimerService": "penstock.contracts.context",
    "WindowFunction": "penstock.contracts.functions",
}

__all__ = [
    "AggregateFunction",
    "AllWindowFunction",
    "BaseBroadcastProcessFunction",
    "BroadcastConnectedStream",
    "BroadcastProcessFunction",
    "BroadcastStream",
    "CloseableIterator",
    "CoFlatMapFunction",
    "CoMapFunction",
    "CoProcessFunction",
    "ConnectedStreams",
    "DataStream",
    "DataStreamSink",
    "FilterFunction",
    "FlatMapFunction",
    "KeySelector",
    "KeyedBroadcastProcessFunction",
    "KeyedCoProcessFunction",
    "KeyedProcessFunction",
    "KeyedStream",
    "MapFunction",
    "OutputTag",
    "Partitioner",
    "ProcessAllWindowFunction",
    "ProcessFunction",
    "ProcessWindowFunction",
    "ReduceFunction",
    "RuntimeContext",
    "RuntimeExecutionMode",
    "StreamExecutionEnvironment",
    "TimeDomain",
    "TimerService",
    "WindowFunction",
]


def __getattr__(name: str) -> Any:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = where.partition(":")
    value = getattr(import_module(module), attribute or name)
    globals()[name] = value
    return value
