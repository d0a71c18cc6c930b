"""A TaskManager: starts worker processes in its slots for the JobManager, and tells how they ended.

The workers talk to their job and to each other directly. They die with the TaskManager: their lifelines are its pipes.
"""

import logging
import os
import selectors
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from penstock.chance import secret_token
from penstock.clock import monotonic, pause
from penstock.deploy.cluster.brought_files import BroughtFiles
from penstock.deploy.cluster.file_parts import read_from
from penstock.deploy.cluster.job_directories import JobDirectories
from penstock.deploy.cluster.leadership import Epochs, LeaderWatch
from penstock.deploy.cluster.messages import (
    BringFiles,
    Dismissed,
    DropFiles,
    FileContent,
    FileNames,
    Heartbeat,
    HeartbeatHeard,
    ListFiles,
    ListThreads,
    ReadFile,
    Replaced,
    SignalWorker,
    StartWorker,
    TaskManagerJoined,
    ThreadStacks,
    Welcome,
    WorkerEnded,
)
from penstock.deploy.cluster.thread_stacks import thread_stacks
from penstock.deploy.cluster.told_metrics import ToldMetrics
from penstock.deploy.local.control_link import ControlLink
from penstock.deploy.local.lifeline import Birth
from penstock.deploy.local.output_relay import OutputRelay
from penstock.deploy.local.starting import StartedProcess, start_process
from penstock.errors import OutsideError, PenstockError, ProtocolError
from penstock.logs.shipped import ShippedLogging, at_taskmanager
from penstock.metrics.process_metrics import process_metrics
from penstock.metrics.readings import Reading, Scope, placed
from penstock.metrics.reporters.reporting import Reporting
from penstock.metrics.system_resources import SystemResources
from penstock.network.handshake import Handshake, Role, shake_hands
from penstock.network.tls import TlsFiles, secured
from penstock.storage.writing import is_local

HANDSHAKE_TIMEOUT_S = 10.0
CALL_AGAIN_S = 0.1
LAST_WORDS_S = 0.5
LOOK_FOR_LEADER_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TaskManagerSettings:
    """Where the JobManager is, and what this TaskManager offers.

    Its workers listen on ``bind_host`` and are found at ``host``. ``leaders``: the directory or URL in which JobManagers say
    where they are; then the newest counts, and not the address. ``logging``: what workers obey whose job has no file.
    ``files``: where directories lie for what jobs bring along. ``name``: its id, where it has one of its own.
    ``memory``: what options plan for it, in bytes, by Flink's names of the parts. ``metrics``: the options that say what is
    measured, and which reporters are told.
    """

    jobmanager_host: str
    jobmanager_port: int
    secret: bytes
    slots: int = 1
    host: str = "127.0.0.1"
    bind_host: str = ""
    heartbeat_s: float = 10.0
    heartbeat_timeout_s: float = 50.0
    leaders: str | None = None
    tls: TlsFiles | None = None
    log: str = ""
    out: str = ""
    logging: ShippedLogging = field(default_factory=ShippedLogging)
    files: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    name: str = ""
    memory: dict[str, int] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)


class TaskManager:
    """Runs until the JobManager dismisses it or :meth:`stop` is called; calls again while the JobManager is away. ``failure``
    says why it has ended otherwise."""

    def __init__(self, settings: TaskManagerSettings) -> None:
        self.failure = ""
        self._instance = secret_token(8).hex()
        self.id = settings.name or f"{settings.host}-{os.getpid()}-{secret_token(3).hex()}"
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        self._relay = OutputRelay()
        self._workers: dict[int, StartedProcess] = {}
        self._brought = BroughtFiles(
            JobDirectories(settings.files), self._selector, self._start, self._not_started
        )
        self._told = ToldMetrics(self._selector)
        self._reporting = Reporting(settings.metrics, self._readings)
        self._machine = SystemResources.of(settings.metrics)
        self._link: ControlLink | None = None
        self._running = True
        self._next_heartbeat = 0.0
        self._heard = 0.0
        self._output_failed = False
        self._epoch = 0
        self._watch = None if settings.leaders is None else _watch(settings.leaders, settings.heartbeat_s)

    def stop(self) -> None:
        """End :meth:`run` soon; may be called by a signal handler."""
        self._running = False

    def run(self, joined: Callable[[], None] = lambda: None) -> None:
        """Serve the JobManager. ``joined`` is called each time it was found."""
        self._reporting.start()
        try:
            while self._running:
                if self._link is None:
                    if not self._call():
                        pause(CALL_AGAIN_S)
                        continue
                    joined()
                self._beat()
                for key, mask in self._selector.select(
                    min(1.0, max(0.0, self._next_heartbeat - monotonic()))
                ):
                    key.data(mask)
                self._look_after_workers()
                self._give_up_jobmanager()
        finally:
            self._reporting.close()
            self._end_workers()
            self._brought.close()
            self._relay.finish()
            if self._watch is not None:
                self._watch.close()

    def _call(self) -> bool:
        settings = self._settings
        address = self._jobmanager()
        if address is None:
            return False
        try:
            plain = socket.create_connection(address, HANDSHAKE_TIMEOUT_S)
        except OSError:
            return False
        sock = secured(plain, settings.tls, server=False)
        number = int.from_bytes(secret_token(3), "big")
        try:
            shake_hands(sock, Handshake(Role.CALLER, settings.secret, number), HANDSHAKE_TIMEOUT_S)
        except ProtocolError as error:
            sock.close()
            _log.warning("the JobManager refuses this TaskManager: %s", error.message)
            return False
        self._link = ControlLink(sock, self._selector, self._take, self._lost)
        self._say(
            TaskManagerJoined(
                self.id,
                settings.host,
                settings.slots,
                os.getpid(),
                settings.log,
                settings.out,
                self._epoch,
                os.cpu_count() or 0,
                settings.memory,
                self._instance,
            )
        )
        self._next_heartbeat = 0.0
        self._heard = monotonic()
        _log.info("calls the JobManager at %s:%d as %s", *address, self.id)
        return True

    def _jobmanager(self) -> tuple[str, int] | None:
        """Where to call; None while nobody leads."""
        if self._watch is None:
            return self._settings.jobmanager_host, self._settings.jobmanager_port
        self._watch.look()
        leader = self._watch.latest
        return None if leader is None or leader.epoch < self._epoch else (leader.host, leader.port)

    def _give_up_jobmanager(self) -> None:
        """Leave a JobManager that does not answer any more, or that leads no longer."""
        if self._link is None:
            return
        reason = None
        if monotonic() - self._heard > self._settings.heartbeat_timeout_s:
            reason = f"it did not answer for {self._settings.heartbeat_timeout_s:g} s"
        leader = None if self._watch is None else self._watch.latest
        if leader is not None and self._epoch and leader.epoch > self._epoch:
            reason = f"it has epoch {self._epoch}, and one with epoch {leader.epoch} leads now"
        if reason is not None:
            self._link.close()
            self._lost(reason)

    def _welcomed(self, epoch: int) -> None:
        if epoch >= self._epoch:
            self._epoch = epoch
            _log.info("joined the JobManager with epoch %d", epoch)
            return
        assert self._link is not None
        self._link.close()
        self._lost(f"it has epoch {epoch}, and this TaskManager has served epoch {self._epoch}")

    def _replaced(self, by: str) -> None:
        self.failure = (
            f"{by} has joined later with the same taskmanager.resource-id, {self.id!r}, and has taken the place of this "
            f"process ({os.getpid()}): give each TaskManager an id of its own, or none"
        )
        _log.error("TaskManager %s ends: %s", self.id, self.failure)
        self._running = False

    def _lost(self, reason: str) -> None:
        """Nobody is left for whom the workers work."""
        _log.warning("the JobManager is gone: %s", reason)
        self._link = None
        self._end_workers()
        self._brought.drop_all()

    def _say(self, message: object) -> None:
        if self._link is not None:
            self._link.send(message)
            self._link.write()

    def _beat(self) -> None:
        if monotonic() >= self._next_heartbeat:
            self._next_heartbeat = monotonic() + self._settings.heartbeat_s
            self._say(Heartbeat(process_metrics(self._machine)))

    def _take(self, message: object) -> None:
        self._heard = monotonic()
        match message:
            case Welcome(epoch):
                self._welcomed(epoch)
            case HeartbeatHeard():
                pass
            case BringFiles(job_id, files):
                self._brought.bring(job_id, files)
            case DropFiles(job_id):
                self._brought.drop(job_id)
            case StartWorker():
                self._brought.start_when_ready(message)
            case SignalWorker(number, wanted):
                started = self._workers.get(number)
                if started is not None:
                    started.signal(signal.Signals(wanted))
                elif wanted in (signal.SIGKILL, signal.SIGTERM):
                    self._brought.give_up(number)
            case ReadFile(request, name, start):
                content, begin = self._content(name, start)
                self._say(FileContent(request, content, begin))
            case ListFiles(request):
                self._say(FileNames(request, self._files()))
            case ListThreads(request):
                self._say(ThreadStacks(request, thread_stacks()))
            case Replaced(by):
                self._replaced(by)
            case Dismissed():
                self._running = False
            case PenstockError():
                _log.error("a message of the JobManager cannot be read: %s", message)

    # Workers ------------------------------------------------------------------------------------------------------------

    def _start(self, order: StartWorker) -> None:
        try:
            host = self._settings.host
            # What this process was given, such as an environment of Ray's, is for its workers, too.
            own = [place for place in sys.path if place not in order.birth.sys_path]
            birth = replace(
                order.birth,
                logging=at_taskmanager(order.birth.logging, self._settings.logging),
                sys_path=[*order.birth.sys_path, *own],
                parent=os.getpid(),
                data_host=host,
                bind_host=self._settings.bind_host or host,
                tls=self._settings.tls,
            )
            started = self._born(order.number, birth)
        except OutsideError as error:
            self._told.forget(order.number)
            self._brought.ended(order.number)
            self._not_started(order.number, error.message)
            return
        self._workers[order.number] = started
        self._relay.add(order.number, *started.pipes)
        self._relay.start()
        if started.exit_descriptor is not None:
            self._selector.register(
                started.exit_descriptor, selectors.EVENT_READ, lambda _: self._ended(order.number)
            )

    def _born(self, number: int, birth: Birth) -> StartedProcess:
        if not self._reporting.has_reporters:
            return start_process(birth)
        with self._told.expect(number) as its_end:
            return start_process(replace(birth, metrics=its_end.fileno()))

    def _readings(self) -> list[Reading]:
        """What it and its workers measure; called by the threads of reporters."""
        where = {"host": self._settings.host, "tm_id": self.id}
        values = process_metrics(self._machine)
        own = (Reading(Scope.TASKMANAGER, name, value) for name, value in values.items())
        return list(placed([*own, *self._told.readings()], where))

    def _not_started(self, number: int, why: str) -> None:
        self._say(WorkerEnded(number, why))

    def _look_after_workers(self) -> None:
        for number, started in list(self._workers.items()):
            if started.exit_descriptor is None and started.has_exited():
                self._ended(number)

        if self._relay.failure is not None and not self._output_failed:
            self._output_failed = True
            _log.error("what workers print cannot be written any more, and is lost: %s", self._relay.failure)

    def _ended(self, number: int) -> None:
        started = self._workers.pop(number, None)
        if started is None:  # the event before this one has lost the JobManager, and ended all workers
            return
        if started.exit_descriptor is not None:
            self._selector.unregister(started.exit_descriptor)
        started.kill_group()  # what user code has started in it and left running
        started.reap()
        words = self._relay.last_words(number, LAST_WORDS_S)
        self._relay.forget(number)
        self._told.forget(number)
        started.close()
        self._brought.ended(number)
        self._say(WorkerEnded(number, started.how_it_ended(), tuple(words)))

    def _end_workers(self) -> None:
        for number in list(self._workers):
            self._workers[number].kill_group()
            self._workers[number].wait_for_exit(None)
            self._ended(number)

    # Files --------------------------------------------------------------------------------------------------------------

    def _content(self, name: str, start: int) -> tuple[bytes | None, int]:
        path = {"log": self._settings.log, "out": self._settings.out}.get(name)
        if path is None:
            path = next((str(self._folder / each) for each, _, _ in self._files() if each == name), "")
        return read_from(path, start)

    @property
    def _folder(self) -> Path:
        return Path(self._settings.log or self._settings.out or os.devnull).parent

    def _files(self) -> tuple[tuple[str, int, int], ...]:
        """The files of the log directory, without those of its folders."""
        if not self._settings.log and not self._settings.out:
            return ()
        found = []
        with suppress(OSError):
            for entry in os.scandir(self._folder):
                if entry.is_file(follow_symlinks=False):
                    stat = entry.stat()
                    found.append((entry.name, stat.st_size, int(stat.st_mtime * 1000)))
        return tuple(sorted(found))


def _watch(directory: str, interval_s: float) -> LeaderWatch:
    if not is_local(directory):
        import fsspec  # noqa: F401  (a thread beside this one would take long to load it)
    return LeaderWatch(Epochs(directory), min(interval_s, LOOK_FOR_LEADER_S))
