"""When checkpoints are taken, and what becomes of them: events in, commands out; no I/O, no clock, no thread.

::

    trigger --> every subtask acknowledges --> the manifest is stored --> complete: tasks are told, older ones are subsumed
       |               |                              |
       +---- declined, timed out, stopped, not stored ----> aborted: tasks are told, its files are removed

What is being stored when the tasks stop may be there already, for whoever looks for the newest checkpoint: it is waited for,
and counts when it is stored.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.checkpoint.endings import Ending
from penstock.checkpoint.events import (
    NEWER_IS_COMPLETE,
    Acknowledged,
    AnswerSavepoint,
    AttemptStarted,
    AttemptStopped,
    CheckpointCommand,
    CheckpointEvent,
    CheckpointWanted,
    CompletedCheckpoint,
    Declined,
    Ended,
    FailJob,
    NotifyAborted,
    NotifyComplete,
    PartStarted,
    RemoveLeftovers,
    SavepointRequest,
    SavepointWanted,
    Store,
    Stored,
    StoreFailed,
    Subsume,
    TimePassed,
    Trigger,
    Waiting,
)
from penstock.checkpoint.handles import OperatorStateHandle
from penstock.checkpoint.settings import CheckpointSettings
from penstock.dataflow.recovery import CheckpointPart, CheckpointState, CheckpointStatistics
from penstock.errors import OutsideError, PenstockError, StateError
from penstock.ids import SubtaskId

HISTORY = 100
_TAKES_PART = (
    "A task takes part between two records, when it has worked on all before the barrier: one that is busy with a single "
    "record, as with a flat_map that yields without end, or slow, holds up itself and those behind it"
)


@dataclass(slots=True)
class _Pending:
    """A checkpoint under way. ``missing``: the subtasks whose part is not there yet."""

    checkpoint_id: int
    timestamp_ms: int
    deadline_ms: int
    missing: set[SubtaskId]
    finished: set[SubtaskId]
    savepoint: SavepointRequest | None
    handles: list[OperatorStateHandle] = field(default_factory=list)
    parts: list[CheckpointPart] = field(default_factory=list)
    is_stored: bool = False


class CheckpointCoordinator:
    """The checkpoints of one job over all its attempts. ``story`` keeps what happened, for the log of a failure.

    ``restored`` are the checkpoints that are kept from before, the oldest first; the job starts from the last. Numbers
    grow over all attempts and are never used twice; those up to ``numbers_used`` were used by a coordinator before this one.
    ``name_of`` is what people know a subtask by.
    """

    def __init__(
        self,
        settings: CheckpointSettings,
        restored: tuple[CompletedCheckpoint, ...] = (),
        numbers_used: int = 0,
        name_of: Callable[[SubtaskId], str] = str,
    ) -> None:
        self._settings = settings
        self._name_of = name_of
        self.completed: list[CompletedCheckpoint] = list(restored)
        self._next_id = max([numbers_used, *(each.checkpoint_id for each in restored)]) + 1
        self._pending: dict[int, _Pending] = {}
        self._running: set[SubtaskId] = set()
        self._finished: set[SubtaskId] = set()
        self._waiting: set[SubtaskId] = set()
        self._wanted: list[SavepointRequest] = []
        self._is_wanted_now = False
        self._last_is_wanted = False
        self._is_started = False
        self._is_ending = False
        self._next_ms: int | None = None
        self._failures_in_a_row = 0
        self.history: list[CheckpointStatistics] = []
        self.counts = dict.fromkeys(CheckpointState, 0)

    @property
    def latest(self) -> CompletedCheckpoint | None:
        """The checkpoint to go back to after a failure."""
        return self.completed[-1] if self.completed else None

    @property
    def numbers_used(self) -> int:
        """The highest number that a checkpoint has had."""
        return self._next_id - 1

    def forget_latest(self) -> None:
        """The newest completed checkpoint cannot be read; the one before it is the latest from now on."""
        self.completed.pop()

    def is_under_way(self, checkpoint_id: int) -> bool:
        """Whether a checkpoint was begun and has not come to its end."""
        return checkpoint_id in self._pending

    def next_ms(self) -> int | None:
        """When ``TimePassed`` has something to start or to end."""
        times = [pending.deadline_ms for pending in self._pending.values() if not pending.is_stored]
        if self._may_trigger_by_time() and self._next_ms is not None:
            times.append(self._next_ms)
        return min(times, default=None)

    def handle(self, event: CheckpointEvent, now_ms: int) -> list[CheckpointCommand]:
        """What to do about an event."""
        commands = self._react(event, now_ms)
        return commands + self._trigger_what_is_due(now_ms)

    def _react(self, event: CheckpointEvent, now_ms: int) -> list[CheckpointCommand]:
        match event:
            case AttemptStarted(subtasks):
                self._start(subtasks, now_ms)
            case PartStarted(subtasks):
                self._start_part(subtasks, now_ms)
            case AttemptStopped(reason):
                return self._stop(reason, now_ms)
            case TimePassed():
                return self._give_up_late(now_ms)
            case Acknowledged(subtask, checkpoint_id, handles):
                return self._acknowledge(subtask, checkpoint_id, handles, now_ms)
            case Declined(checkpoint_id, _, error):
                return self._fail(checkpoint_id, error, now_ms)
            case Ended(subtask, last_checkpoint_id):
                return self._end(subtask, last_checkpoint_id)
            case Waiting(subtask):
                self._waiting.add(subtask)
                self._last_is_wanted = True
            case SavepointWanted(request):
                return self._want(request)
            case CheckpointWanted():
                self._is_wanted_now = True
            case Stored(checkpoint_id):
                return self._complete(event, now_ms)
            case StoreFailed(checkpoint_id, error):
                return self._fail(checkpoint_id, error, now_ms)
        return []

    # Attempts -----------------------------------------------------------------------------------------------------------

    def _start(self, subtasks: frozenset[SubtaskId], now_ms: int) -> None:
        self._is_ending = False
        self._running = set(subtasks)
        self._finished = set()
        self._waiting = set()
        self._begin(now_ms)

    def _start_part(self, subtasks: frozenset[SubtaskId], now_ms: int) -> None:
        self._running |= subtasks
        self._finished -= subtasks
        self._waiting -= subtasks
        self._last_is_wanted = bool(self._waiting)
        self._begin(now_ms)

    def _begin(self, now_ms: int) -> None:
        self._is_started = True
        interval_ms = self._settings.interval_ms
        self._next_ms = None if interval_ms is None else now_ms + interval_ms

    def _stop(self, reason: str, now_ms: int) -> list[CheckpointCommand]:
        self._is_started = False
        error = OutsideError(reason)
        commands: list[CheckpointCommand] = []
        for pending in list(self._pending.values()):
            if not pending.is_stored or pending.savepoint is not None:
                commands += self._abort(pending, error, now_ms)
        commands += [AnswerSavepoint(request, None, error) for request in self._wanted]
        self._wanted.clear()
        return commands

    # Beginning ----------------------------------------------------------------------------------------------------------

    def _want(self, request: SavepointRequest) -> list[CheckpointCommand]:
        if not self._is_started:
            return [
                AnswerSavepoint(
                    request, None, OutsideError("the job does not run, so it has no savepoint to give")
                )
            ]
        self._wanted.append(request)
        return []

    def _trigger_what_is_due(self, now_ms: int) -> list[CheckpointCommand]:
        commands: list[CheckpointCommand] = []
        if not self._is_started or not self._running:
            return commands
        while self._wanted and not self._is_ending:
            commands.append(self._trigger(self._wanted.pop(0), now_ms))
        if self._is_due(now_ms):
            commands.append(self._trigger(None, now_ms))
        return commands

    def _is_due(self, now_ms: int) -> bool:
        if not self._may_trigger_by_time():
            return False
        if self._is_wanted_now:
            return True
        if (
            self._last_is_wanted and self._running <= self._waiting
        ):  # nobody works, so there is nothing to gather
            return True
        return self._next_ms is not None and now_ms >= self._next_ms

    def _may_trigger_by_time(self) -> bool:
        if not self._is_started or self._is_ending or not self._running:
            return False
        if self._finished and not self._settings.after_tasks_finish:
            return False
        regular = sum(1 for pending in self._pending.values() if pending.savepoint is None)
        if self._running <= self._waiting and regular:
            return False
        return regular < self._settings.max_concurrent

    def _trigger(self, savepoint: SavepointRequest | None, now_ms: int) -> Trigger:
        checkpoint_id = self._next_id
        self._next_id += 1
        self._pending[checkpoint_id] = _Pending(
            checkpoint_id,
            now_ms,
            now_ms + self._settings.timeout_ms,
            set(self._running),
            set(self._finished),
            savepoint,
        )
        if savepoint is None:
            self._is_wanted_now = False
            self._last_is_wanted = self._last_is_wanted and not self._running <= self._waiting
            if self._settings.interval_ms is not None:
                self._next_ms = now_ms + self._settings.interval_ms
        elif savepoint.ending.value != "go on":
            self._is_ending = True
        self._note(
            CheckpointStatistics(checkpoint_id, CheckpointState.IN_PROGRESS, savepoint is not None, now_ms)
        )
        return Trigger(checkpoint_id, now_ms, savepoint)

    # Parts come in ------------------------------------------------------------------------------------------------------

    def _acknowledge(
        self, subtask: SubtaskId, checkpoint_id: int, handles: dict[str, OperatorStateHandle], now_ms: int
    ) -> list[CheckpointCommand]:
        pending = self._pending.get(checkpoint_id)
        if pending is None:
            return (
                [RemoveLeftovers(checkpoint_id)] if handles and not self._is_completed(checkpoint_id) else []
            )
        if subtask not in pending.missing:
            return []
        pending.missing.discard(subtask)
        pending.handles += handles.values()
        size_bytes = sum(handle.size_bytes for handle in handles.values())
        pending.parts.append(CheckpointPart(subtask, now_ms, size_bytes))
        return self._store_if_whole(pending)

    def _end(self, subtask: SubtaskId, last_checkpoint_id: int) -> list[CheckpointCommand]:
        self._running.discard(subtask)
        self._waiting.discard(subtask)
        self._finished.add(subtask)
        commands: list[CheckpointCommand] = []
        for pending in list(self._pending.values()):
            if subtask in pending.missing and pending.checkpoint_id > last_checkpoint_id:
                pending.missing.discard(subtask)
                pending.finished.add(subtask)
                commands += self._store_if_whole(pending)
        return commands

    def _store_if_whole(self, pending: _Pending) -> list[CheckpointCommand]:
        if pending.missing or pending.is_stored:
            return []
        pending.is_stored = True
        return [
            Store(
                pending.checkpoint_id,
                pending.timestamp_ms,
                tuple(pending.handles),
                frozenset(pending.finished),
                pending.savepoint,
            )
        ]

    # Endings ------------------------------------------------------------------------------------------------------------

    def _complete(self, stored: Stored, now_ms: int) -> list[CheckpointCommand]:
        pending = self._pending.pop(stored.checkpoint_id, None)
        if pending is None:
            return [RemoveLeftovers(stored.checkpoint_id)]
        self._failures_in_a_row = 0
        self._note(
            CheckpointStatistics(
                stored.checkpoint_id,
                CheckpointState.COMPLETED,
                pending.savepoint is not None,
                pending.timestamp_ms,
                now_ms - pending.timestamp_ms,
                stored.manifest.state_bytes,
                stored.directory,
                parts=tuple(pending.parts),
            )
        )
        if self._next_ms is not None:
            self._next_ms = max(self._next_ms, now_ms + self._settings.min_pause_ms)
        savepoint = pending.savepoint
        if savepoint is not None and savepoint.ending is Ending.GO_ON:
            # Nobody goes back to it after a failure, so nothing may be committed that it alone holds.
            return [AnswerSavepoint(savepoint, stored.directory)]
        commands: list[CheckpointCommand] = [NotifyComplete(stored.checkpoint_id)]
        if savepoint is not None:
            commands.append(AnswerSavepoint(savepoint, stored.directory))
        # Older ones that are still under way would go back behind this one.
        for older in [each for each in self._pending.values() if each.checkpoint_id < stored.checkpoint_id]:
            if older.savepoint is None:
                commands += self._abort(older, StateError(NEWER_IS_COMPLETE), now_ms)
        self.completed.append(CompletedCheckpoint(stored.manifest, stored.directory, owned=savepoint is None))
        while len(self.completed) > self._settings.retained:
            oldest = self.completed.pop(0)
            if oldest.owned:
                commands.append(Subsume(oldest, tuple(self.completed)))
        return commands

    def _fail(self, checkpoint_id: int, error: PenstockError, now_ms: int) -> list[CheckpointCommand]:
        pending = self._pending.get(checkpoint_id)
        if pending is None:
            return []
        commands = self._abort(pending, error, now_ms)
        if pending.savepoint is not None or not self._is_started:
            return commands
        self._failures_in_a_row += 1
        if self._failures_in_a_row > self._settings.tolerable_failures:
            self._failures_in_a_row = 0
            commands.append(FailJob(_too_many(checkpoint_id, error, self._settings.tolerable_failures)))
        return commands

    def _give_up_late(self, now_ms: int) -> list[CheckpointCommand]:
        commands: list[CheckpointCommand] = []
        for pending in list(self._pending.values()):
            if not pending.is_stored and now_ms >= pending.deadline_ms:
                missing = ", ".join(map(self._name_of, sorted(pending.missing)[:5]))
                more = len(pending.missing) - 5
                commands += self._fail(
                    pending.checkpoint_id,
                    OutsideError(
                        f"checkpoint {pending.checkpoint_id} was not complete within {self._settings.timeout_ms} ms "
                        f"(execution.checkpointing.timeout); subtasks still missing: {missing}"
                        f"{f' and {more} more' if more > 0 else ''}. {_TAKES_PART}"
                    ),
                    now_ms,
                )
        return commands

    def _abort(self, pending: _Pending, error: PenstockError, now_ms: int) -> list[CheckpointCommand]:
        del self._pending[pending.checkpoint_id]
        self._last_is_wanted = bool(self._waiting)
        self._note(
            CheckpointStatistics(
                pending.checkpoint_id,
                CheckpointState.FAILED,
                pending.savepoint is not None,
                pending.timestamp_ms,
                now_ms - pending.timestamp_ms,
                failure=error.message,
                parts=tuple(pending.parts),
            )
        )
        commands: list[CheckpointCommand] = [
            NotifyAborted(pending.checkpoint_id, error.message, pending.savepoint)
        ]
        if pending.savepoint is not None:
            self._is_ending = False
            commands.append(AnswerSavepoint(pending.savepoint, None, error))
            if pending.savepoint.ending is Ending.DRAIN and self._is_started:
                commands.append(FailJob(_not_drained(pending.savepoint, error)))
        return commands

    def _is_completed(self, checkpoint_id: int) -> bool:
        return any(completed.checkpoint_id == checkpoint_id for completed in self.completed)

    def _note(self, statistics: CheckpointStatistics) -> None:
        self.counts[statistics.state] += 1
        for index, before in enumerate(self.history):
            if before.checkpoint_id == statistics.checkpoint_id:
                self.counts[before.state] -= 1
                self.history[index] = statistics
                return
        self.history.append(statistics)
        del self.history[:-HISTORY]


def _not_drained(savepoint: SavepointRequest, error: PenstockError) -> PenstockError:
    """Sources have ended for it, and what waited for more has been given up: nobody can take that back."""
    failure = StateError(
        f"the job was to stop with the savepoint {savepoint.directory}, and to come to the end of its input before, but the "
        f"savepoint failed, so it goes back to its last checkpoint: {error.message}"
    )
    failure.places.extend(error.places)
    failure.__cause__ = error
    return failure


def _too_many(checkpoint_id: int, error: PenstockError, tolerable: int) -> PenstockError:
    failure = StateError(
        f"checkpoint {checkpoint_id} failed, and {tolerable} failed checkpoints in a row are tolerated "
        f"(execution.checkpointing.tolerable-failed-checkpoints): {error.message}"
    )
    failure.places.extend(error.places)
    failure.__cause__ = error
    return failure
