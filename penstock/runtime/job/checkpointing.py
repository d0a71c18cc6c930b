"""Carries out what the checkpoint coordinator decides: sends, writes manifests off the driver's thread, removes files."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from penstock.checkpoint.coordinator import CheckpointCoordinator
from penstock.checkpoint.endings import Ending
from penstock.checkpoint.events import (
    JOB_IS_OVER,
    NEEDLESS,
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
from penstock.checkpoint.handles import OperatorStateHandle, in_flight_id
from penstock.checkpoint.manifest import CheckpointTaken, Manifest, OperatorRecord, write_manifest
from penstock.checkpoint.place import CheckpointPlace, CheckpointPlaces
from penstock.checkpoint.removal import (
    remove_checkpoint,
    remove_job_directory,
    remove_leftovers,
    remove_manifest,
    remove_unneeded,
)
from penstock.checkpoint.settings import CheckpointSettings, Retention
from penstock.clock import Clock
from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics
from penstock.dataflow.submission import JobStatus
from penstock.errors import OutsideError, PenstockError, RestoreFailed
from penstock.ids import SubtaskId
from penstock.operators.source import SourceSpec
from penstock.runtime.background import Background, MakeBackground
from penstock.runtime.coordination.split_assignment import SplitAssignment
from penstock.runtime.job.latest_noted import LatestNoted
from penstock.runtime.job.start import KeptCheckpoints, Succession
from penstock.runtime.messages import (
    CheckpointAborted,
    CheckpointAcknowledged,
    CheckpointCompleted,
    CheckpointDeclined,
    Deployment,
    Restore,
    SubtaskFinished,
    SubtaskWaits,
    ToWorker,
    TriggerCheckpoint,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

_log = logging.getLogger(__name__)

Answer = Callable[[str | None, PenstockError | None], None]

ALONE = Succession()


@dataclass(frozen=True, slots=True)
class JobReach:
    """What the driver lends: ``send`` reaches every worker, ``fail`` fails the job, ``wake_up`` has ``turn`` called soon."""

    send: Callable[[ToWorker], None]
    fail: Callable[[PenstockError], None]
    wake_up: Callable[[], None]
    clock: Clock
    make_background: MakeBackground = Background


class JobCheckpoints:
    """The checkpoints of one job. The driver's thread calls it, and nobody else."""

    def __init__(
        self,
        deployment: Deployment,
        settings: CheckpointSettings,
        reach: JobReach,
        succession: Succession = ALONE,
    ) -> None:
        self._deployment = deployment
        self._settings = settings
        self._send = reach.send
        self._fail = reach.fail
        self._clock = reach.clock
        self._background = reach.make_background("checkpoint storage", reach.wake_up)
        self._splits: SplitAssignment | None = None
        self._enumerators: dict[int, dict[str, bytes]] = {}
        self._leftovers: dict[int, str] = {}
        self._answers: dict[int, Answer] = {}
        self._waiting: list[Future[int]] = []
        self._by_checkpoint: dict[int, list[Future[int]]] = {}
        self._places = _places(settings, str(deployment.job_id))
        # Where other jobs may write into the same directory, what is there is removed only if it is this job's for certain.
        self._own_id = None if settings.create_subdirectory else str(deployment.job_id)
        self._noted = LatestNoted(succession.note)
        kept = succession.kept
        self.coordinator = CheckpointCoordinator(settings, kept.completed, kept.numbers_used, self._name_of)
        self.on_complete: Callable[[int], None] = lambda checkpoint_id: None

    def _name_of(self, subtask: SubtaskId) -> str:
        vertex = self._deployment.graph.vertex(subtask.vertex)
        return f"{vertex.name!r} {subtask.index + 1}/{vertex.parallelism}"

    # What the driver tells ----------------------------------------------------------------------------------------------

    def start(self, splits: SplitAssignment) -> None:
        """The tasks of an attempt run."""
        self._splits = splits
        subtasks = frozenset(s for vertex in self._deployment.graph.vertices for s in vertex.subtasks())
        self._handle(AttemptStarted(subtasks))

    def start_part(self, subtasks: frozenset[SubtaskId]) -> None:
        """Some of the tasks run again, while the others have gone on."""
        self._handle(PartStarted(subtasks))

    def stop(self, reason: str, part: bool = False) -> None:
        """The tasks are being stopped; ``part``: some of them."""
        if not part:
            self._splits = None
        self._handle(AttemptStopped(reason))
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.set_exception(OutsideError(reason))

    def take(self, message: object) -> bool:
        """A message of a worker; says whether it was meant for nobody else."""
        match message:
            case CheckpointAcknowledged(subtask, checkpoint_id, handles):
                self._handle(Acknowledged(subtask, checkpoint_id, handles))
            case CheckpointDeclined(subtask, checkpoint_id, error):
                self._handle(Declined(checkpoint_id, subtask, error))
            case SubtaskWaits(subtask):
                self._handle(Waiting(subtask))
            case SubtaskFinished(subtask, _, last_checkpoint_id):
                self._handle(Ended(subtask, last_checkpoint_id))
                return False
            case _:
                return False
        return True

    def turn(self) -> None:
        """Take up what was written, and do what is due."""
        self._background.deliver()
        due = self.coordinator.next_ms()
        if due is not None and due <= self._clock.now_ms():
            self._handle(TimePassed())

    def next_ms(self) -> int | None:
        """When :meth:`turn` has something to do."""
        return self.coordinator.next_ms()

    def want_savepoint(self, request: SavepointRequest, answer: Answer) -> None:
        """Somebody asks for a savepoint; ``answer(path, error)`` is called once."""
        self._answers[request.number] = answer
        self._handle(SavepointWanted(request))

    def want_checkpoint(self, future: "Future[int]") -> None:
        """Somebody asks for a checkpoint now; the future has its number once it is complete."""
        self._waiting.append(future)
        self._handle(CheckpointWanted())

    def begin_again(self, part: bool = False) -> Restore | None:
        """All tasks have stopped, or ``part`` of them: what the next attempt goes on from.

        Whoever looks into the directory from now on finds nothing newer: a manifest that was being written is waited for, and
        counts; those of checkpoints that were given up are gone.
        """
        self._background.settle()
        for checkpoint_id, directory in self._leftovers.items():
            self._background.submit(
                self._giving_up(checkpoint_id, partial(remove_manifest, directory, self._own_id)),
                _log_failure(f"removing the manifest of checkpoint {checkpoint_id}"),
            )
        self._background.settle()
        if not part:  # else the others may still be writing
            self._remove_leftovers()
        latest = self.coordinator.latest
        return None if latest is None else restore_of(latest, self._deployment)

    def fall_back(self, failed: RestoreFailed) -> bool:
        """The latest checkpoint cannot be read: go back to the one before it, if one is kept; says whether there is one."""
        latest = self.coordinator.latest
        if (
            latest is None
            or latest.checkpoint_id != failed.checkpoint_id
            or len(self.coordinator.completed) < 2
        ):
            return False
        self.coordinator.forget_latest()
        _log.warning(
            "checkpoint %d of job %s cannot be read, so the job goes back to checkpoint %d; what sinks have committed in "
            "between may be written again",
            failed.checkpoint_id,
            self._deployment.job_id,
            self.coordinator.completed[-1].checkpoint_id,
        )
        return True

    def latest_enumerators(self) -> dict[str, bytes]:
        """The state of the enumerators in the latest checkpoint, by operator."""
        return enumerators_of(self.coordinator.latest)

    @property
    def latest(self) -> CompletedCheckpoint | None:
        """The checkpoint to go back to after a failure."""
        return self.coordinator.latest

    @property
    def kept(self) -> KeptCheckpoints:
        """What another driver would go on with."""
        return KeptCheckpoints(tuple(self.coordinator.completed), self.coordinator.numbers_used)

    @property
    def history(self) -> list[CheckpointStatistics]:
        """What became of the last checkpoints and savepoints, the oldest first."""
        return self.coordinator.history

    @property
    def counts(self) -> dict[CheckpointState, int]:
        """How many checkpoints and savepoints have come to each state, of all there were."""
        return self.coordinator.counts

    def leave(self) -> None:
        """The job goes on elsewhere: leave everything as it is, once all is written."""
        self.stop("the job goes on elsewhere")
        self._remove_leftovers()
        self._background.close(finish=True)
        self._background.deliver()

    def close(self, status: JobStatus) -> None:
        """The job is over: remove what is not to be kept, and wait until all is written and removed."""
        self.stop(JOB_IS_OVER)
        self._background.settle()
        self._noted.end()
        self._remove_leftovers()
        if not self._is_kept(status):
            for completed in self.coordinator.completed:
                if completed.owned:
                    self._remove(completed, ())
            self.coordinator.completed = [c for c in self.coordinator.completed if not c.owned]
        if self._places.directory is not None and self._own_id is None:
            self._background.submit(
                partial(remove_unneeded, self._places.directory, tuple(self.coordinator.completed)),
                _log_failure("removing files that no checkpoint needs"),
            )
        if self._places.directory is not None and not self.coordinator.completed:
            self._background.submit(
                partial(remove_job_directory, self._places.directory), _log_failure("removing a directory")
            )
        self._background.close(finish=True)
        self._background.deliver()

    def _is_kept(self, status: JobStatus) -> bool:
        retention = self._settings.retention
        if status is JobStatus.FAILED:
            return retention is not Retention.NO_EXTERNALIZED_CHECKPOINTS
        return status is JobStatus.CANCELED and retention is Retention.RETAIN_ON_CANCELLATION

    # What the coordinator wants -----------------------------------------------------------------------------------------

    def _handle(self, event: CheckpointEvent) -> None:
        for command in self.coordinator.handle(event, self._clock.now_ms()):
            self._carry_out(command)

    def _carry_out(self, command: CheckpointCommand) -> None:
        match command:
            case Trigger():
                self._trigger(command)
            case Store():
                self._store(command)
            case NotifyComplete(checkpoint_id):
                self._completed(checkpoint_id)
            case NotifyAborted(checkpoint_id, reason, savepoint):
                self._aborted(checkpoint_id, reason, savepoint)
            case Subsume(checkpoint, kept):
                self._remove(checkpoint, kept)
            case RemoveLeftovers(checkpoint_id):
                self._note_leftovers(checkpoint_id, None)
            case FailJob(error):
                self._fail(error)
            case AnswerSavepoint(request, path, failure):
                answer = self._answers.pop(request.number, None)
                if answer is not None:
                    answer(path, failure)

    def _trigger(self, trigger: Trigger) -> None:
        if self._splits is None or not self.coordinator.is_under_way(trigger.checkpoint_id):
            return  # what was to be done before it has stopped the tasks
        savepoint = trigger.savepoint
        if savepoint is None:
            self._by_checkpoint[trigger.checkpoint_id], self._waiting = self._waiting, []
        try:
            self._enumerators[trigger.checkpoint_id] = self._splits.snapshot(trigger.checkpoint_id)
        except PenstockError as error:
            self._handle(Declined(trigger.checkpoint_id, None, error))
            return
        self._send(
            TriggerCheckpoint(
                trigger.checkpoint_id,
                trigger.timestamp_ms,
                self._place(trigger.checkpoint_id, savepoint),
                savepoint is not None,
                Ending.GO_ON if savepoint is None else savepoint.ending,
            )
        )

    def _store(self, store: Store) -> None:
        enumerators = self._enumerators.pop(store.checkpoint_id, {})
        manifest = _manifest(self._deployment, store, enumerators)
        savepoint = store.savepoint
        directory = (
            self._places.manifest_directory(store.checkpoint_id) if savepoint is None else savepoint.directory
        )

        noted = self._noted

        def write() -> None:
            assert directory is not None
            write_manifest(directory, manifest)
            if savepoint is None or savepoint.ending is not Ending.GO_ON:
                noted.complete(CompletedCheckpoint(manifest, directory, owned=savepoint is None))

        def told(_: object, error: BaseException | None) -> None:
            if error is None:
                self._handle(Stored(store.checkpoint_id, manifest, directory))
            else:
                self._handle(StoreFailed(store.checkpoint_id, _as_failure(error)))
                if isinstance(error, CheckpointTaken):
                    self._leftovers.pop(store.checkpoint_id, None)  # what is there is somebody else's

        if directory is None:
            told(None, None)
        else:
            self._background.submit(write, told)

    def _completed(self, checkpoint_id: int) -> None:
        _log.info("checkpoint %d of job %s is complete", checkpoint_id, self._deployment.job_id)
        self._send(CheckpointCompleted(checkpoint_id))
        for future in self._by_checkpoint.pop(checkpoint_id, []):
            future.set_result(checkpoint_id)
        self.on_complete(checkpoint_id)
        self._remove_leftovers(checkpoint_id)
        if self._splits is not None:
            try:
                self._splits.checkpoint_completed(checkpoint_id)
            except PenstockError as error:
                self._fail(error)

    def _aborted(self, checkpoint_id: int, reason: str, savepoint: SavepointRequest | None) -> None:
        level = logging.INFO if reason in NEEDLESS else logging.WARNING
        _log.log(
            level, "checkpoint %d of job %s is given up: %s", checkpoint_id, self._deployment.job_id, reason
        )
        self._enumerators.pop(checkpoint_id, None)
        for future in self._by_checkpoint.pop(checkpoint_id, []):
            future.set_exception(OutsideError(f"checkpoint {checkpoint_id} was given up: {reason}"))
        self._send(CheckpointAborted(checkpoint_id))
        self._note_leftovers(checkpoint_id, savepoint)

    def _remove(self, checkpoint: CompletedCheckpoint, kept: tuple[CompletedCheckpoint, ...]) -> None:
        directory = checkpoint.directory
        if directory is not None:
            self._background.submit(
                partial(remove_checkpoint, directory, checkpoint, kept),
                _log_failure(f"removing checkpoint {checkpoint.checkpoint_id}"),
            )

    def _note_leftovers(self, checkpoint_id: int, savepoint: SavepointRequest | None) -> None:
        directory = self._place(checkpoint_id, savepoint).directory
        if directory is not None:
            # Where a part of a savepoint comes after it was given up, nobody knows any more that it was one.
            self._leftovers.setdefault(checkpoint_id, directory)

    def _remove_leftovers(self, before: int | None = None) -> None:
        """Remove what was written of checkpoints that were given up, once nobody can be writing there any more.

        A worker writes one snapshot after the other, so when a checkpoint is complete all earlier ones have been written.
        """
        for checkpoint_id in [each for each in self._leftovers if before is None or each < before]:
            directory = self._leftovers.pop(checkpoint_id)
            self._background.submit(
                self._giving_up(checkpoint_id, partial(remove_leftovers, directory, self._own_id)),
                _log_failure(f"removing what was written of checkpoint {checkpoint_id}"),
            )

    def _giving_up(self, checkpoint_id: int, remove: Callable[[], None]) -> Callable[[], None]:
        """Removing what may have been noted as the latest checkpoint: whoever takes the job up does not look for it then."""
        latest, noted = self.coordinator.latest, self._noted

        def work() -> None:
            noted.give_up(checkpoint_id, latest)
            remove()

        return work

    def _place(self, checkpoint_id: int, savepoint: SavepointRequest | None) -> CheckpointPlace:
        if savepoint is not None:
            return CheckpointPlace(savepoint.directory)
        return self._places.of_checkpoint(checkpoint_id)


def restore_of(completed: CompletedCheckpoint, deployment: Deployment) -> Restore:
    """What tasks go on from, of a completed checkpoint."""
    records = completed.manifest.operators
    finished: set[SubtaskId] = set()
    for vertex in deployment.graph.vertices:
        mine = [records[chained.id] for chained in vertex.operators if chained.id in records]
        if mine and all(record.has_finished for record in mine):
            finished.update(vertex.subtasks())
    return Restore(
        completed.checkpoint_id,
        CheckpointPlace(completed.directory),
        {operator_id: record.handles for operator_id, record in records.items() if record.handles},
        frozenset(finished),
        {operator_id: record.parallelism for operator_id, record in records.items()},
    )


def enumerators_of(completed: CompletedCheckpoint | None) -> dict[str, bytes]:
    """The state of the enumerators in a checkpoint, by operator."""
    if completed is None:
        return {}
    records = completed.manifest.operators.values()
    return {record.operator_id: record.enumerator for record in records if record.enumerator is not None}


def _places(settings: CheckpointSettings, job_id: str) -> CheckpointPlaces:
    directory = settings.directory
    if directory is not None and settings.create_subdirectory:
        directory = f"{directory}/{job_id}"
    return CheckpointPlaces(directory, settings.in_memory, settings.memory_limit_bytes)


def _manifest(deployment: Deployment, store: Store, enumerators: dict[str, bytes]) -> Manifest:
    handles: dict[str, list[OperatorStateHandle]] = {}
    for handle in store.handles:
        handles.setdefault(handle.operator_id, []).append(handle)
    operators: dict[str, OperatorRecord] = {}
    for vertex in deployment.graph.vertices:
        finished = tuple(sorted(s.index for s in store.finished if s.vertex == vertex.id))
        on_the_way = in_flight_id(vertex.head.id)
        if on_the_way in handles:
            parts = tuple(sorted(handles[on_the_way], key=lambda handle: handle.subtask_index))
            operators[on_the_way] = OperatorRecord(
                on_the_way, parts[0].operator_name, vertex.parallelism, vertex.max_parallelism, parts
            )
        for chained in vertex.operators:
            mine = sorted(handles.get(chained.id, ()), key=lambda handle: handle.subtask_index)
            is_source = isinstance(chained.spec, SourceSpec)
            operators[chained.id] = OperatorRecord(
                chained.id,
                chained.name,
                vertex.parallelism,
                vertex.max_parallelism,
                tuple(mine),
                enumerators.get(chained.id) if is_source else None,
                finished,
            )
    return Manifest(
        store.checkpoint_id,
        store.timestamp_ms,
        str(deployment.job_id),
        deployment.graph.job_name,
        store.savepoint is not None,
        operators,
    )


def _as_failure(error: BaseException) -> PenstockError:
    if isinstance(error, PenstockError):
        return error
    failure = OutsideError(f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


def _log_failure(what: str) -> Callable[[object, BaseException | None], None]:
    def then(_: object, error: BaseException | None) -> None:
        if error is not None:
            _log.warning("%s failed: %s", what, error)

    return then
