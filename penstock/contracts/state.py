"""State: everything that functions and operators may know of it, under one name.

User code sees handles, descriptors and stores (``state_handles``, ``state_descriptors``, ``state_stores``); operators see
the backend behind them too (``state_backend``), and never which one it is.
"""

from penstock.contracts.checkpointing import (
    CheckpointedFunction,
    CheckpointListener,
    FunctionInitializationContext,
    FunctionSnapshotContext,
)
from penstock.contracts.state_backend import (
    VOID_NAMESPACE,
    KeyedStateBackend,
    KeyedTable,
    OperatorStateBackend,
    StoredForm,
)
from penstock.contracts.state_descriptors import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    StateKind,
    ValueStateDescriptor,
    of_the_engine,
)
from penstock.contracts.state_handles import (
    AggregatingState,
    AppendingState,
    BroadcastState,
    ListState,
    MapState,
    MergingState,
    ReadOnlyBroadcastState,
    ReducingState,
    State,
    ValueState,
)
from penstock.contracts.state_snapshots import (
    ENTRIES_PER_CHUNK,
    EntryChunk,
    KeyedStateSnapshot,
    NativeEntries,
    NativeFile,
    NativeSource,
    NativeState,
    OpenNative,
    OperatorStateMode,
    OperatorStateSnapshot,
    StateEntries,
    StateMeta,
    StoredEntries,
    TupleColumn,
)
from penstock.contracts.state_stores import KeyedStateStore, OperatorStateStore
from penstock.contracts.state_ttl import StateTtlConfig

__all__ = [
    "ENTRIES_PER_CHUNK",
    "VOID_NAMESPACE",
    "AggregatingState",
    "AggregatingStateDescriptor",
    "AppendingState",
    "BroadcastState",
    "CheckpointListener",
    "CheckpointedFunction",
    "EntryChunk",
    "FunctionInitializationContext",
    "FunctionSnapshotContext",
    "KeyedStateBackend",
    "KeyedStateSnapshot",
    "KeyedStateStore",
    "KeyedTable",
    "ListState",
    "ListStateDescriptor",
    "MapState",
    "MapStateDescriptor",
    "MergingState",
    "NativeEntries",
    "NativeFile",
    "NativeSource",
    "NativeState",
    "OpenNative",
    "OperatorStateBackend",
    "OperatorStateMode",
    "OperatorStateSnapshot",
    "OperatorStateStore",
    "ReadOnlyBroadcastState",
    "ReducingState",
    "ReducingStateDescriptor",
    "State",
    "StateDescriptor",
    "StateEntries",
    "StateKind",
    "StateMeta",
    "StateTtlConfig",
    "StoredEntries",
    "StoredForm",
    "TupleColumn",
    "ValueState",
    "ValueStateDescriptor",
    "of_the_engine",
]
