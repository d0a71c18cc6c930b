"""The DataStream API.

``StreamExecutionEnvironment`` lives above this package, as it knows how programs run, too; it is found on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.connectors.functions.sink import SinkFunction
    from penstock.connectors.functions.source import SourceFunction
    from penstock.contracts.async_functions import AsyncFunction, AsyncRetryPredicate, AsyncRetryStrategy
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
    from penstock.contracts.join_functions import (
        CoGroupFunction,
        FlatJoinFunction,
        JoinFunction,
        ProcessJoinFunction,
    )
    from penstock.contracts.output_tag import OutputTag
    from penstock.contracts.partition_functions import MapPartitionFunction, Order
    from penstock.dataflow.logical import RuntimeExecutionMode
    from penstock.datastream.async_data_stream import AsyncDataStream
    from penstock.datastream.broadcast import BroadcastConnectedStream, BroadcastStream
    from penstock.datastream.checkpoint_config import CheckpointConfig
    from penstock.datastream.checkpoint_storage import (
        CheckpointStorage,
        CustomCheckpointStorage,
        FileSystemCheckpointStorage,
        JobManagerCheckpointStorage,
    )
    from penstock.datastream.checkpointing_mode import CheckpointingMode
    from penstock.datastream.collected import CloseableIterator
    from penstock.datastream.connected import ConnectedStreams
    from penstock.datastream.externalized_checkpoint_retention import (
        ExternalizedCheckpointCleanup,
        ExternalizedCheckpointRetention,
    )
    from penstock.datastream.joined import CoGroupedStreams, JoinedStreams
    from penstock.datastream.keyed import KeyedStream
    from penstock.datastream.partition_windowed import PartitionWindowedStream
    from penstock.datastream.sink_handle import DataStreamSink
    from penstock.datastream.slot_sharing_group import MemorySize, SlotSharingGroup
    from penstock.datastream.state_backend import (
        CustomStateBackend,
        EmbeddedRocksDBStateBackend,
        HashMapStateBackend,
        PredefinedOptions,
        StateBackend,
    )
    from penstock.datastream.stream import DataStream
    from penstock.datastream.time_characteristic import TimeCharacteristic
    from penstock.datastream.windowed import AllWindowedStream, WindowedStream
    from penstock.environment import StreamExecutionEnvironment
    from penstock.windows import (
        CountWindow,
        GlobalWindow,
        MergingWindowAssigner,
        TimeWindow,
        Trigger,
        TriggerResult,
        Window,
        WindowAssigner,
    )

_WHERE = {
    "AggregateFunction": "penstock.contracts.functions",
    "AllWindowFunction": "penstock.contracts.functions",
    "AllWindowedStream": "penstock.datastream.windowed",
    "AsyncDataStream": "penstock.datastream.async_data_stream",
    "AsyncFunction": "penstock.contracts.async_functions",
    "AsyncRetryPredicate": "penstock.contracts.async_functions",
    "AsyncRetryStrategy": "penstock.contracts.async_functions",
    "BaseBroadcastProcessFunction": "penstock.contracts.broadcast_functions",
    "BroadcastConnectedStream": "penstock.datastream.broadcast",
    "BroadcastProcessFunction": "penstock.contracts.broadcast_functions",
    "BroadcastStream": "penstock.datastream.broadcast",
    "CheckpointConfig": "penstock.datastream.checkpoint_config",
    "CheckpointStorage": "penstock.datastream.checkpoint_storage",
    "CheckpointingMode": "penstock.datastream.checkpointing_mode",
    "CloseableIterator": "penstock.datastream.collected",
    "CoFlatMapFunction": "penstock.contracts.functions",
    "CoGroupFunction": "penstock.contracts.join_functions",
    "CoGroupedStreams": "penstock.datastream.joined",
    "CoMapFunction": "penstock.contracts.functions",
    "CoProcessFunction": "penstock.contracts.functions",
    "ConnectedStreams": "penstock.datastream.connected",
    "CountWindow": "penstock.windows",
    "CustomCheckpointStorage": "penstock.datastream.checkpoint_storage",
    "CustomStateBackend": "penstock.datastream.state_backend",
    "DataStream": "penstock.datastream.stream",
    "DataStreamSink": "penstock.datastream.sink_handle",
    "EmbeddedRocksDBStateBackend": "penstock.datastream.state_backend",
    "ExternalizedCheckpointCleanup": "penstock.datastream.externalized_checkpoint_retention",
    "ExternalizedCheckpointRetention": "penstock.datastream.externalized_checkpoint_retention",
    "FileSystemCheckpointStorage": "penstock.datastream.checkpoint_storage",
    "FilterFunction": "penstock.contracts.functions",
    "FlatJoinFunction": "penstock.contracts.join_functions",
    "FlatMapFunction": "penstock.contracts.functions",
    "GlobalWindow": "penstock.windows",
    "HashMapStateBackend": "penstock.datastream.state_backend",
    "JobManagerCheckpointStorage": "penstock.datastream.checkpoint_storage",
    "JoinFunction": "penstock.contracts.join_functions",
    "JoinedStreams": "penstock.datastream.joined",
    "KeySelector": "penstock.contracts.functions",
    "KeyedBroadcastProcessFunction": "penstock.contracts.broadcast_functions",
    "KeyedCoProcessFunction": "penstock.contracts.functions",
    "KeyedProcessFunction": "penstock.contracts.functions",
    "KeyedStream": "penstock.datastream.keyed",
    "MapFunction": "penstock.contracts.functions",
    "MapPartitionFunction": "penstock.contracts.partition_functions",
    "MemorySize": "penstock.datastream.slot_sharing_group",
    "MergingWindowAssigner": "penstock.windows",
    "Order": "penstock.contracts.partition_functions",
    "OutputTag": "penstock.contracts.output_tag",
    "PartitionWindowedStream": "penstock.datastream.partition_windowed",
    "Partitioner": "penstock.contracts.functions",
    "PredefinedOptions": "penstock.datastream.state_backend",
    "ProcessAllWindowFunction": "penstock.contracts.functions",
    "ProcessFunction": "penstock.contracts.functions",
    "ProcessJoinFunction": "penstock.contracts.join_functions",
    "ProcessWindowFunction": "penstock.contracts.functions",
    "ReduceFunction": "penstock.contracts.functions",
    "RuntimeContext": "penstock.contracts.context",
    "RuntimeExecutionMode": "penstock.dataflow.logical:RuntimeExecutionMode",
    "SinkFunction": "penstock.connectors.functions.sink",
    "SlotSharingGroup": "penstock.datastream.slot_sharing_group",
    "SourceFunction": "penstock.connectors.functions.source",
    "StateBackend": "penstock.datastream.state_backend",
    "StreamExecutionEnvironment": "penstock.environment",
    "TimeCharacteristic": "penstock.datastream.time_characteristic",
    "TimeDomain": "penstock.contracts.context",
    "TimeWindow": "penstock.windows",
    "TimerService": "penstock.contracts.context",
    "FsStateBackend": "penstock.datastream.state_backends_before_113",
    "MemoryStateBackend": "penstock.datastream.state_backends_before_113",
    "RocksDBStateBackend": "penstock.datastream.state_backends_before_113",
    "Trigger": "penstock.windows",
    "TriggerResult": "penstock.windows",
    "Window": "penstock.windows",
    "WindowAssigner": "penstock.windows",
    "WindowFunction": "penstock.contracts.functions",
    "WindowedStream": "penstock.datastream.windowed",
}

__all__ = [
    "AggregateFunction",
    "AllWindowFunction",
    "AllWindowedStream",
    "AsyncDataStream",
    "AsyncFunction",
    "AsyncRetryPredicate",
    "AsyncRetryStrategy",
    "BaseBroadcastProcessFunction",
    "BroadcastConnectedStream",
    "BroadcastProcessFunction",
    "BroadcastStream",
    "CheckpointConfig",
    "CheckpointStorage",
    "CheckpointingMode",
    "CloseableIterator",
    "CoFlatMapFunction",
    "CoGroupFunction",
    "CoGroupedStreams",
    "CoMapFunction",
    "CoProcessFunction",
    "ConnectedStreams",
    "CountWindow",
    "CustomCheckpointStorage",
    "CustomStateBackend",
    "DataStream",
    "DataStreamSink",
    "EmbeddedRocksDBStateBackend",
    "ExternalizedCheckpointCleanup",
    "ExternalizedCheckpointRetention",
    "FileSystemCheckpointStorage",
    "FilterFunction",
    "FlatJoinFunction",
    "FlatMapFunction",
    "GlobalWindow",
    "HashMapStateBackend",
    "JobManagerCheckpointStorage",
    "JoinFunction",
    "JoinedStreams",
    "KeySelector",
    "KeyedBroadcastProcessFunction",
    "KeyedCoProcessFunction",
    "KeyedProcessFunction",
    "KeyedStream",
    "MapFunction",
    "MapPartitionFunction",
    "MemorySize",
    "MergingWindowAssigner",
    "Order",
    "OutputTag",
    "PartitionWindowedStream",
    "Partitioner",
    "PredefinedOptions",
    "ProcessAllWindowFunction",
    "ProcessFunction",
    "ProcessJoinFunction",
    "ProcessWindowFunction",
    "ReduceFunction",
    "RuntimeContext",
    "RuntimeExecutionMode",
    "SinkFunction",
    "SlotSharingGroup",
    "SourceFunction",
    "StateBackend",
    "StreamExecutionEnvironment",
    "TimeCharacteristic",
    "TimeDomain",
    "TimeWindow",
    "TimerService",
    "Trigger",
    "TriggerResult",
    "Window",
    "WindowAssigner",
    "WindowFunction",
    "WindowedStream",
]


def __getattr__(name: str) -> Any:
    where = _WHERE.get(name)
    if where is None:
        from importlib.util import find_spec

        if not name.startswith("_") and find_spec(f"{__name__}.{name}") is not None:
            return import_module(
                f"{__name__}.{name}"
            )  # so that `penstock.datastream.window.X` needs no import of its own
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = where.partition(":")
    value = getattr(import_module(module), attribute or name)
    globals()[name] = value
    return value
