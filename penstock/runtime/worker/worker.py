"""One worker: builds its tasks, steps them in turn, answers the coordinator. One thread, no waiting but in ``wait``."""

import selectors
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.contracts.accumulators import Accumulator
from penstock.dataflow.job import JobGraph
from penstock.dataflow.regions import Regions
from penstock.errors import PenstockError, ProtocolError, WorkerLost
from penstock.ids import ChannelId, SubtaskId, WorkerIndex
from penstock.logs import place
from penstock.logs.place import NOWHERE
from penstock.network.plane import ChannelPlane
from penstock.network.spilled import SpoolChannel, SpoolMemory
from penstock.operators.coroutines import Coroutines
from penstock.operators.source import SourceOperator
from penstock.operators.user_code import context_in, user_error
from penstock.runtime.background import Background, MakeBackground
from penstock.runtime.messages import (
    AssignSplits,
    CheckpointAborted,
    CheckpointCompleted,
    Deploy,
    Deployment,
    FromReader,
    FromWorker,
    MetricsReport,
    NoMoreSplits,
    OpenTasks,
    PrepareToRestore,
    ReaderStarted,
    Renew,
    ReportMetrics,
    RowsCollected,
    RowsTaken,
    SplitRequested,
    StartTasks,
    StopTasks,
    SubtaskFailed,
    SubtaskFinished,
    TasksDeployed,
    TasksOpened,
    TasksStopped,
    ToReader,
    ToWorker,
    TriggerCheckpoint,
    WorkerRegistered,
)
from penstock.runtime.refused_states import RefusedStates
from penstock.runtime.task.progress import Progress
from penstock.runtime.task.tasklet import SourceTasklet, Tasklet
from penstock.runtime.worker.snapshot_writing import SnapshotWriting
from penstock.runtime.worker.task_metrics import TaskMetrics
from penstock.runtime.worker.wiring import RemoteChannel, TaskWiring, WorkerSurroundings

if TYPE_CHECKING:
    from penstock.checkpoint.local_state import LocalState
    from penstock.metrics.readings import Reading
    from penstock.network.exchange import PeerLost

CLIENT_WINDOW_BATCHES = 16
LONGEST_WAIT_S = 5.0
# Of all blocking exchanges together; what is more goes to disk.
SPOOL_MEMORY_BYTES = 256 << 20
RENEW_GOODBYE_S = 0.2


class Worker:
    """Hosts the tasks of one job in one process.

    The owner calls ``handle`` for each message, ``turn`` as long as it says that there is more to do, ``wait`` when there is
    not, and takes what is to be sent to the coordinator out of ``outbox``.
    """

    def __init__(
        self, index: WorkerIndex, clock: Clock = SYSTEM_CLOCK, make_background: MakeBackground = Background
    ) -> None:
        place.install()
        self.index = index
        self.make_data_plane: Callable[[], ChannelPlane] | None = None
        self.lets_through: Callable[[BaseException], bool] = lambda error: False
        self._make_background = make_background
        self._snapshots: SnapshotWriting | None = None
        self._local: LocalState | None = None
        self.outbox: deque[FromWorker] = deque()
        self.data_plane: ChannelPlane | None = None
        self._coroutines = Coroutines(clock)
        self._clock = clock
        self._metrics = TaskMetrics(clock)
        self._graph: JobGraph | None = None
        self._regions: Regions | None = None
        self._tasklets: list[Tasklet] = []
        self._ready: list[Tasklet] = []
        self._running: list[Tasklet] = []
        self._refused: dict[SubtaskId, RefusedStates] = {}
        self._channels: dict[SubtaskId, dict[ChannelId, RemoteChannel]] = {}
        self._spools: dict[ChannelId, SpoolChannel] = {}
        self._spool_memory = SpoolMemory(SPOOL_MEMORY_BYTES)
        self._selector: selectors.BaseSelector | None = None
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._unsent_rows: dict[str, int] = {}
        self._collectors: dict[str, Tasklet] = {}
        self._watched: set[int] = set()
        self._wake_wanted = False

    # What the coordinator says ------------------------------------------------------------------------------------------

    def handle(self, message: ToWorker) -> None:
        """Do what the coordinator asks."""
        match message:
            case Deploy():
                self._deploy(message)
            case OpenTasks():
                self._open()
            case StartTasks():
                self._start()
            case StopTasks(None, _):
                self._stop()
            case StopTasks(subtasks, lost) if subtasks is not None:
                self._stop_some(subtasks, lost)
            case Renew():
                self._renew()
            case PrepareToRestore():
                from penstock.runtime.worker.restoring import load_libraries

                load_libraries()
            case TriggerCheckpoint():
                self._trigger(message)
            case CheckpointCompleted(checkpoint_id):
                self._completed(checkpoint_id)
            case CheckpointAborted(checkpoint_id):
                self._abort(checkpoint_id)
            case AssignSplits() | NoMoreSplits() | ToReader():
                self._tell_reader(message)
            case RowsTaken(collector, batches):
                self._rows_taken(collector, batches)
            case ReportMetrics(with_readings):
                accumulators = {task.subtask: task.chain.merged_accumulators() for task in self._tasklets}
                metrics = self.read_metrics()
                readings = tuple(self.readings()) if with_readings else ()
                self.outbox.append(MetricsReport(self.index, metrics, accumulators, readings))

    def _deploy(self, deploy: Deploy) -> None:
        try:
            self._build(deploy)
        except Exception as error:
            # Of a part of the job any task stands for all that were to be deployed.
            self._failed(None, error, None if deploy.subtasks is None else min(deploy.subtasks))
            return
        self.outbox.append(TasksDeployed(self.index))

    def _build(self, deploy: Deploy) -> None:
        deployment = deploy.deployment
        self._graph, self._regions = deployment.graph, None
        surroundings = WorkerSurroundings(
            index=self.index,
            clock=self._clock,
            metrics_of=self._metrics.new_group,
            data_plane=self.data_plane,
            link_of=partial(_Link, self),
            send_to_client=lambda subtask: partial(self._send_rows, subtask),
            coroutines=self._coroutines,
            spools=self._spools,
            spool_memory=self._spool_memory,
        )
        wiring = TaskWiring(deployment, surroundings, deploy.subtasks)
        for subtask, channels in wiring.remote_channels().items():
            self._channels.setdefault(subtask, {}).update(channels)
        if self.data_plane is not None:
            needed = {channel.peer for channels in self._channels.values() for channel in channels.values()}
            self.data_plane.connect(
                {int(index): address for index, address in deploy.peers.items() if index in needed}
            )
        self._ready = wiring.build()
        self._tasklets = self._in_order([*self._tasklets, *self._ready])
        vertices = {vertex.id: vertex for vertex in deployment.graph.vertices}
        self._find_local_state(deployment)
        if deployment.exactly_once is not None and self._snapshots is None:
            self._snapshots = SnapshotWriting(
                self.outbox,
                self.wake_up,
                self._make_background,
                {int(i): v for i, v in vertices.items()},
                self._local,
            )
        for tasklet in self._ready:
            if self._snapshots is not None:
                tasklet.checkpoints = self._snapshots
            if deployment.restore is not None and tasklet.subtask not in deployment.restore.finished:
                from penstock.runtime.worker.restoring import restore_task

                vertex, restore = vertices[tasklet.subtask.vertex], deployment.restore
                if self._local is not None:
                    restore = replace(restore, place=self._local.to_read(restore.place))
                try:
                    restore_task(tasklet, vertex, restore, deployment.graph)
                except RefusedStates as error:
                    self._refused[tasklet.subtask] = error
        contexts = [context for tasklet in self._ready for context in tasklet.chain.contexts]
        if deployment.takes_checkpoints and any(context.keyed_state is not None for context in contexts):
            from penstock.runtime.worker.restoring import load_libraries

            load_libraries()  # now, as the first barrier would be held up by it

    def _find_local_state(self, deployment: Deployment) -> None:
        """Where copies of the job's state files are on this machine, if its options want any."""
        if self._local is None and any("local" in key for key in deployment.graph.settings):
            from penstock.checkpoint.local_state import LocalState

            self._local = LocalState.open(deployment.graph.settings, str(deployment.job_id), self.index)

    def _in_order(self, tasklets: list[Tasklet]) -> list[Tasklet]:
        """In the order of the graph, so that one round of steps carries records through."""
        assert self._graph is not None
        order = {vertex.id: number for number, vertex in enumerate(self._graph.vertices)}
        return sorted(tasklets, key=lambda tasklet: (order[tasklet.subtask.vertex], tasklet.subtask.index))

    def _open(self) -> None:
        """Open what was deployed; what was restored and does not fit is told of all tasks at once."""
        refused, self._refused = self._refused, {}
        failed: frozenset[SubtaskId] = frozenset()
        for tasklet in reversed(self._ready):
            if tasklet.subtask in refused:
                continue
            if refused:  # what else goes wrong may come of that
                with suppress(Exception):
                    _open(tasklet, refused)
            elif tasklet.subtask not in failed and not self._guard(tasklet, partial(_open, tasklet, refused)):
                failed |= self._region_of(tasklet.subtask)
        self._ready = [tasklet for tasklet in self._ready if tasklet.subtask not in failed]
        self.outbox.append(TasksOpened(self.index, refused))

    def _start(self) -> None:
        ready, self._ready = self._ready, []
        failed: frozenset[SubtaskId] = frozenset()
        for tasklet in reversed(ready):
            if tasklet.subtask in failed:
                continue
            if not self._guard(tasklet, tasklet.start):
                failed |= self._region_of(tasklet.subtask)
            elif isinstance(tasklet, SourceTasklet):
                self.outbox.append(ReaderStarted(tasklet.subtask))
        started = [tasklet for tasklet in ready if tasklet.subtask not in failed]
        self._running = self._in_order([*self._running, *started])

    def _stop(self) -> None:
        accumulators = self._accumulators()
        self._running = []
        self._ready = []
        self._refused = {}
        if self._snapshots is not None:
            self._snapshots.close()
            self._snapshots = None
        for tasklet in self._tasklets:
            tasklet.close()
        self._tasklets = []
        self.outbox.append(TasksStopped(self.index, accumulators))

    def _stop_some(self, subtasks: frozenset[SubtaskId], lost: frozenset[WorkerIndex]) -> None:
        """Stop a part of the tasks, and forget what they share with the others of their region."""
        stopped = [tasklet for tasklet in self._tasklets if tasklet.subtask in subtasks]
        self._leave_out(subtasks)
        self._ready = [tasklet for tasklet in self._ready if tasklet.subtask not in subtasks]
        self._tasklets = [tasklet for tasklet in self._tasklets if tasklet.subtask not in subtasks]
        for collector in [name for name, task in self._collectors.items() if task.subtask in subtasks]:
            del self._collectors[collector]
            self._unsent_rows.pop(collector, None)
        for tasklet in stopped:
            tasklet.close()
        forgotten = []
        for subtask in subtasks & self._channels.keys():
            channels = self._channels[subtask]
            # What a blocking exchange has kept for a reader stays his when its sender goes on running.
            for link in [link for link, channel in channels.items() if channel.other in subtasks]:
                channel = channels.pop(link)
                forgotten.append((channel.number, int(channel.peer)))
        if self.data_plane is not None:
            self.data_plane.forget(forgotten, [int(index) for index in lost])
        self.outbox.append(TasksStopped(self.index, subtasks=subtasks))

    def _leave_out(self, subtasks: frozenset[SubtaskId]) -> None:
        """Step some tasks no more."""
        self._running = [tasklet for tasklet in self._running if tasklet.subtask not in subtasks]

    def _renew(self) -> None:
        """Forget everything of the last attempt but the process itself."""
        self._coroutines.close()
        self._coroutines = Coroutines(self._clock)
        self._metrics = TaskMetrics(self._clock)
        self._channels.clear()
        for spool in self._spools.values():
            spool.discard()
        self._spools.clear()
        self._spool_memory = SpoolMemory(SPOOL_MEMORY_BYTES)
        self._unsent_rows.clear()
        self._collectors.clear()
        for fd in self._watched:
            self.selector.unregister(fd)
        self._watched = set()
        if self.data_plane is not None and self.make_data_plane is not None:
            self.data_plane.close(RENEW_GOODBYE_S)
            self.data_plane = self.make_data_plane()
        address = None if self.data_plane is None else self.data_plane.address
        self.outbox.append(WorkerRegistered(self.index, address))

    # Checkpoints --------------------------------------------------------------------------------------------------------

    def _trigger(self, trigger: TriggerCheckpoint) -> None:
        if self._snapshots is None:
            return
        barrier = self._snapshots.triggered(trigger)
        self._tell_tasks(lambda task: task.on_trigger(barrier, trigger.ending))

    def _completed(self, checkpoint_id: int) -> None:
        if self._snapshots is not None:
            self._snapshots.completed(checkpoint_id)
        self._tell_tasks(lambda task: task.on_checkpoint_completed(checkpoint_id))

    def _abort(self, checkpoint_id: int) -> None:
        if self._snapshots is not None:
            self._snapshots.aborted(checkpoint_id)
        self._tell_tasks(lambda task: task.on_checkpoint_aborted(checkpoint_id))

    def _tell_tasks(self, tell: Callable[[Tasklet], None]) -> None:
        for tasklet in list(self._running):
            if tasklet in self._running:  # not of a region that has just failed
                self._guard(tasklet, partial(tell, tasklet))

    def _tell_reader(self, message: AssignSplits | NoMoreSplits | ToReader) -> None:
        match message:
            case AssignSplits(subtask, splits):
                self._tell_source(subtask, lambda source: source.reader.add_splits(splits))
            case NoMoreSplits(subtask):
                self._tell_source(subtask, lambda source: source.reader.notify_no_more_splits())
            case ToReader(subtask, event):
                self._tell_source(subtask, lambda source: source.handle_event(event))

    def _tell_source(self, subtask: SubtaskId, message: Callable[[SourceOperator], None]) -> None:
        for tasklet in self._running:
            if tasklet.subtask == subtask and isinstance(tasklet, SourceTasklet):
                self._guard(tasklet, partial(tasklet.tell_source, message))

    # Stepping -----------------------------------------------------------------------------------------------------------

    def turn(self) -> bool:
        """Run coroutines, step each task once; says whether there is more to do at once."""
        more = False
        try:
            if self._snapshots is not None:
                more = self._snapshots.deliver()
            if self._coroutines.is_live:
                self._coroutines.run()
        except BaseException as error:
            self._failed(None, error)
            return bool(self._running)
        whose = place.current
        for tasklet in self._running:
            whose.place = tasklet.place
            try:
                progress = tasklet.step()
            except BaseException as error:
                self._failed(tasklet, error)
                return bool(self._running)
            if progress is Progress.MORE:
                more = True
            elif progress is Progress.DONE:
                self._finished(tasklet)
                whose.place = NOWHERE
                return True
        whose.place = NOWHERE
        if self.data_plane is not None:
            self.data_plane.flush()
        return more or self._coroutines.sleep_s == 0

    def _finished(self, tasklet: Tasklet) -> None:
        self._running.remove(tasklet)
        errors = tasklet.close()
        if errors:
            self._failed(tasklet, errors[0])
            return
        self._tasklets.remove(tasklet)
        self._metrics.keep(tasklet)
        self.outbox.append(
            SubtaskFinished(tasklet.subtask, tasklet.chain.merged_accumulators(), tasklet.last_checkpoint_id)
        )

    def _guard(self, tasklet: Tasklet | None, action: Callable[[], Any]) -> bool:
        """Do something; says whether it went well."""
        place.current.place = NOWHERE if tasklet is None else tasklet.place
        try:
            action()
        except BaseException as error:
            self._failed(tasklet, error)
            return False
        return True

    def _failed(
        self, tasklet: Tasklet | None, error: BaseException, subtask: SubtaskId | None = None
    ) -> None:
        """Step the region of what failed no more, and tell the coordinator; where nobody knows whose it is, step nothing."""
        if self.lets_through(error):
            raise error
        subtask = subtask if tasklet is None else tasklet.subtask
        if subtask is None:
            self._running = []
        else:
            self._leave_out(self._region_of(subtask))
        place.current.place = NOWHERE
        if not isinstance(error, PenstockError):
            if tasklet is not None:
                whose = context_in(error.__traceback__) or tasklet.chain.contexts[0]
                error = user_error(whose, error)
            else:
                wrapped = ProtocolError(f"{type(error).__name__}: {error}")
                wrapped.__cause__ = error
                error = wrapped
        self.outbox.append(SubtaskFailed(self.index, subtask, error))

    def _region_of(self, subtask: SubtaskId) -> frozenset[SubtaskId]:
        if self._regions is None:
            assert self._graph is not None
            self._regions = Regions(self._graph)
        return self._regions.of(subtask)

    # Waiting ------------------------------------------------------------------------------------------------------------

    def wait(self, most_s: float = LONGEST_WAIT_S) -> None:
        """Sleep until there may be something to do: a timer, a socket, a reader's descriptor, a wake-up."""
        selector = self.selector
        self._watch_readers()
        timeout = 0.0 if self._wake_wanted else self.wait_s(most_s)
        self._wake_wanted = False
        for key, mask in selector.select(timeout):
            if callable(key.data):
                key.data(mask)

    @property
    def selector(self) -> selectors.BaseSelector:
        """What the worker waits on; made on first use, as a job that never waits does not need it."""
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
            self._wake = socket.socketpair()
            for end in self._wake:
                end.setblocking(False)
            self._selector.register(self._wake[0], selectors.EVENT_READ, self._woken)
        return self._selector

    def wake_up(self) -> None:
        """End :meth:`wait`; may be called by any thread."""
        self._wake_wanted = True
        if self._wake is not None:
            with suppress(OSError):  # full: it wakes up anyway; closed: there is nobody left to wake
                self._wake[1].send(b"w")

    def _woken(self, _: int) -> None:
        assert self._wake is not None
        self._wake[0].recv(4096)

    def wait_s(self, most_s: float) -> float:
        """How long there is nothing to do, as far as time alone says, but ``most_s`` at most."""
        waits = [most_s]
        dues = [due for tasklet in self._running if (due := tasklet.next_due_ms()) is not None]
        if dues:
            waits.append((min(dues) - self._clock.now_ms()) / 1000)
        waits += [wait / 1000 for tasklet in self._running if (wait := tasklet.wait_ms()) is not None]
        if self.data_plane is not None and (deadline := self.data_plane.timeout_s()) is not None:
            waits.append(deadline)
        if (sleep_s := self._coroutines.sleep_s) is not None:
            waits.append(sleep_s)
        return max(0.0, min(waits))

    def _watch_readers(self) -> None:
        """Wait for the descriptors of exactly those readers that name one now, and for that of the coroutines."""
        wanted = {fd for tasklet in self._running if (fd := tasklet.fileno()) is not None}
        if (descriptor := self._coroutines.descriptor) is not None:
            wanted.add(descriptor)
        for fd in self._watched - wanted:
            self.selector.unregister(fd)
        for fd in wanted - self._watched:
            self.selector.register(fd, selectors.EVENT_READ)
        self._watched = wanted

    # Rows for the client, metrics ---------------------------------------------------------------------------------------

    def _send_rows(self, subtask: SubtaskId, collector: str, rows: list[Any]) -> None:
        self._unsent_rows[collector] = self._unsent_rows.get(collector, 0) + 1
        if collector not in self._collectors:
            self._collectors[collector] = next(t for t in self._tasklets if t.subtask == subtask)
        if self._unsent_rows[collector] >= CLIENT_WINDOW_BATCHES:
            self._collectors[collector].may_send_to_client = False
        self.outbox.append(RowsCollected(self.index, collector, rows, subtask))

    def _rows_taken(self, collector: str, batches: int) -> None:
        sink = self._collectors.get(collector)
        if sink is not None:  # else they were of a task that was stopped
            self._unsent_rows[collector] = max(0, self._unsent_rows[collector] - batches)
            sink.may_send_to_client = self._unsent_rows[collector] < CLIENT_WINDOW_BATCHES

    def read_metrics(self) -> dict[str, Any]:
        """Every metric by its full name."""
        return self._metrics.read(self._tasklets)

    def readings(self) -> "list[Reading]":
        """What is measured of the tasks that run, as of the last :meth:`read_metrics`, for reporters."""
        from penstock.runtime.worker.task_readings import task_readings

        return [] if self._graph is None else list(task_readings(self._metrics, self._tasklets, self._graph))

    def _accumulators(self) -> dict[str, Accumulator]:
        merged: dict[str, Accumulator] = {}
        for tasklet in self._tasklets:
            for name, accumulator in tasklet.chain.merged_accumulators().items():
                if name in merged:
                    merged[name].merge(accumulator)
                else:
                    merged[name] = accumulator
        return merged

    def peer_lost(self, lost: "PeerLost") -> None:
        """The data plane lost another worker; of no matter to tasks that share no channel with it."""
        error = WorkerLost(f"the connection to worker {lost.peer} was lost: {lost.reason}")
        told: frozenset[SubtaskId] = frozenset()
        for tasklet in self._tasklets:
            channels = self._channels.get(tasklet.subtask, {}).values()
            if tasklet.subtask not in told and any(channel.peer == lost.peer for channel in channels):
                self._failed(None, error, tasklet.subtask)
                told |= self._region_of(tasklet.subtask)

    def vanish(self) -> None:
        """What happens to a process that is killed: no code of the user's runs, and the system takes back what it held."""
        self._running = []
        for context in [context for tasklet in self._tasklets for context in tasklet.chain.contexts]:
            if context.keyed_state is not None:
                context.keyed_state.close()
        self._coroutines.abandon()

    def close(self) -> None:
        """Release sockets and threads."""
        if self._snapshots is not None:
            self._snapshots.close()
        if self._local is not None:
            self._local.close()
        self._coroutines.close()
        if self.data_plane is not None:
            self.data_plane.close()
        if self._wake is not None:
            ends, self._wake = self._wake, None
            for end in ends:
                end.close()
        if self._selector is not None:
            self._selector.close()


def _open(tasklet: Tasklet, refused: dict[SubtaskId, RefusedStates]) -> None:
    try:
        tasklet.open()
    except RefusedStates as error:
        refused[tasklet.subtask] = error


class _Link:
    """The way from a reader to its enumerator."""

    def __init__(self, worker: Worker, subtask: SubtaskId) -> None:
        self._worker = worker
        self._subtask = subtask

    def send_split_request(self) -> None:
        self._worker.outbox.append(SplitRequested(self._subtask))

    def send_source_event(self, event: Any) -> None:
        self._worker.outbox.append(FromReader(self._subtask, event))

    def wake_up(self) -> None:
        self._worker.wake_up()
