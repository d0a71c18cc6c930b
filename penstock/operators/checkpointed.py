"""Functions of the user that take part in checkpoints: ``CheckpointedFunction`` and ``CheckpointListener``."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from penstock.contracts.checkpointing import (
    CheckpointedFunction,
    CheckpointListener,
    CheckpointParticipant,
    FunctionInitializationContext,
    FunctionSnapshotContext,
)
from penstock.contracts.state import KeyedStateStore, OperatorStateStore
from penstock.errors import ProgramError
from penstock.operators.contract import OperatorContext
from penstock.operators.user_code import user_error


def takes_part(function: Any) -> bool:
    """Whether a function wants to be told of checkpoints."""
    return isinstance(function, CheckpointedFunction | CheckpointListener)


def join_checkpoints(functions: Iterable[Any], context: OperatorContext) -> None:
    """Have functions that want it take part in the operator's checkpoints; to be called before their ``open``.

    ``initialize_state`` is called now, the rest by the operator when checkpoints are taken and end.
    """
    for function in functions:
        if takes_part(function):
            participant = FunctionCheckpoints(function, context)
            participant.initialize()
            context.participants.append(participant)


class FunctionCheckpoints(CheckpointParticipant):
    """One function; errors of it are the user's, with the operator that it is in."""

    def __init__(self, function: Any, context: OperatorContext) -> None:
        self._function = function
        self._context = context

    def initialize(self) -> None:
        if isinstance(self._function, CheckpointedFunction):
            self._call(self._function.initialize_state, _InitializationContext(self._context))

    def snapshot(self, checkpoint_id: int) -> None:
        if isinstance(self._function, CheckpointedFunction):
            at_ms = self._context.clock.now_ms()
            self._call(self._function.snapshot_state, _SnapshotContext(checkpoint_id, at_ms))

    def complete(self, checkpoint_id: int) -> None:
        if isinstance(self._function, CheckpointListener):
            self._call(self._function.notify_checkpoint_complete, checkpoint_id)

    def abort(self, checkpoint_id: int) -> None:
        if isinstance(self._function, CheckpointListener):
            self._call(self._function.notify_checkpoint_aborted, checkpoint_id)

    def _call(self, method: Callable[[Any], None], argument: Any) -> None:
        try:
            method(argument)
        except Exception as error:
            raise user_error(self._context, error) from error


@dataclass(frozen=True, slots=True)
class _SnapshotContext(FunctionSnapshotContext):
    checkpoint_id: int
    at_ms: int

    def get_checkpoint_id(self) -> int:
        return self.checkpoint_id

    def get_checkpoint_timestamp(self) -> int:
        return self.at_ms


@dataclass(frozen=True, slots=True)
class _InitializationContext(FunctionInitializationContext):
    context: OperatorContext

    def is_restored(self) -> bool:
        return self.context.restored_checkpoint_id is not None

    def get_restored_checkpoint_id(self) -> int | None:
        return self.context.restored_checkpoint_id

    def get_operator_state_store(self) -> OperatorStateStore:
        assert self.context.operator_state is not None
        return self.context.operator_state

    def get_keyed_state_store(self) -> KeyedStateStore:
        if self.context.keyed_state is None:
            raise ProgramError(
                f"{self.context.name!r} is not on a keyed stream, so it has no state per key; call key_by before it, "
                "or keep the state of the subtask in get_operator_state_store()"
            )
        return self.context.keyed_state
