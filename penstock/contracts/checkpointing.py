"""What user functions may know of checkpoints. Source: Flink's documentation, "Working with State"."""

from abc import ABC, abstractmethod

from penstock.contracts.state_stores import KeyedStateStore, OperatorStateStore


class FunctionSnapshotContext(ABC):
    """Given to ``snapshot_state``."""

    @abstractmethod
    def get_checkpoint_id(self) -> int:
        """The checkpoint; ids grow, and may leave gaps."""

    @abstractmethod
    def get_checkpoint_timestamp(self) -> int:
        """When the checkpoint reached the subtask, in milliseconds since the epoch."""


class FunctionInitializationContext(ABC):
    """Given to ``initialize_state``."""

    @abstractmethod
    def is_restored(self) -> bool:
        """Whether state was restored from a checkpoint or savepoint."""

    @abstractmethod
    def get_restored_checkpoint_id(self) -> int | None:
        """The checkpoint restored from, None when the job starts afresh."""

    @abstractmethod
    def get_operator_state_store(self) -> OperatorStateStore:
        """State of the subtask."""

    @abstractmethod
    def get_keyed_state_store(self) -> KeyedStateStore:
        """State per key; raises ``ProgramError`` when the stream has no keys."""


class CheckpointedFunction(ABC):
    """A function that takes part in checkpoints itself, usually to keep operator state."""

    @abstractmethod
    def snapshot_state(self, context: FunctionSnapshotContext) -> None:
        """Called at each checkpoint, between two records: bring what is in fields into state."""

    @abstractmethod
    def initialize_state(self, context: FunctionInitializationContext) -> None:
        """Called before ``open``, on a fresh start and after a restore: get the state, and fill the fields from it."""


class CheckpointListener(ABC):
    """A function that wants to know how checkpoints end, such as one that commits somewhere."""

    @abstractmethod
    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        """The checkpoint is complete. May be missed after a failure; a later one implies the earlier ones."""

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:  # noqa: B027  (not everybody cares)
        """The checkpoint will never be complete."""


class CheckpointParticipant(ABC):
    """What the engine calls for a function that may be a ``CheckpointedFunction``, a ``CheckpointListener``, or both."""

    @abstractmethod
    def initialize(self) -> None:
        """Called once, before the function is opened."""

    @abstractmethod
    def snapshot(self, checkpoint_id: int) -> None:
        """Have the function bring what it keeps into its state."""

    @abstractmethod
    def complete(self, checkpoint_id: int) -> None:
        """Tell the function that the checkpoint is complete."""

    @abstractmethod
    def abort(self, checkpoint_id: int) -> None:
        """Tell the function that the checkpoint will not be complete."""
