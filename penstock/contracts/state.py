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
    KeyedStateSnapshot,
    KeyedTable,
    OperatorStateBackend,
    OperatorStateMode,
    OperatorStateSnapshot,
    StateMeta,
    StateSnapshot,
)
from penstock.contracts.state_descriptors import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    StateKind,
    ValueStateDescriptor,
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
from penstock.contracts.state_stores import KeyedStateStore, OperatorStateStore
from penstock.contracts.state_ttl import StateTtlConfig

__all__ = [
    "VOID_NAMESPACE",
    "AggregatingState",
    "AggregatingStateDescriptor",
    "AppendingState",
    "BroadcastState",
    "CheckpointListener",
    "CheckpointedFunction",
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
    "OperatorStateBackend",
    "OperatorStateMode",
    "OperatorStateSnapshot",
    "OperatorStateStore",
    "ReadOnlyBroadcastState",
    "ReducingState",
    "ReducingStateDescriptor",
    "State",
    "StateDescriptor",
    "StateKind",
    "StateMeta",
    "StateSnapshot",
    "StateTtlConfig",
    "ValueState",
    "ValueStateDescriptor",
]
