"""Who is in the cluster: one thread of the JobManager that talks to all TaskManagers.

Jobs ask it for slots from their own threads; whatever they want said is queued for the thread that owns the connections.
"""

import logging
import selectors
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from penstock.clock import SYSTEM_CLOCK, monotonic
from penstock.deploy.cluster.job_files import JobFiles
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
from penstock.deploy.cluster.slots import SlotTable, TaskManagerEntry
from penstock.deploy.local.control_link import ControlLink
from penstock.deploy.local.control_listener import ControlListener
from penstock.deploy.local.lifeline import Birth
from penstock.deploy.measured import Places
from penstock.errors import OutsideError
from penstock.network.tls import TlsFiles

LOOK_S = 0.5
MOST_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


class PlacedWorker:
    """A worker process on a TaskManager, as its pool sees it."""

    exit_descriptor: int | None = None
    pipes: tuple[IO[bytes], IO[bytes]] | None = None

    def __init__(self, number: int, taskmanager: str, roster: "Roster", wake_up: Callable[[], None]) -> None:
        self.number = number
        self.taskmanager = taskmanager
        self._roster = roster
        self._wake_up = wake_up
        self._ended = threading.Event()
        self._how = ""
        self._words: tuple[str, ...] = ()

    def ended(self, how: str, words: tuple[str, ...] = ()) -> None:
        """What the TaskManager tells of its end."""
        self._how, self._words = how, words
        self._ended.set()
        self._wake_up()

    def has_exited(self) -> bool:
        return self._ended.is_set()

    def wait_for_exit(self, timeout_s: float | None) -> bool:
        return self._ended.wait(timeout_s)

    def signal(self, number: signal.Signals) -> None:
        if not self._ended.is_set():
            self._roster.tell(self.taskmanager, SignalWorker(self.number, number))

    def kill_group(self) -> None:
        self.signal(signal.SIGKILL)

    def reap(self) -> None:
        """The TaskManager does it."""

    def how_it_ended(self) -> str:
        return f"on TaskManager {self.taskmanager}: {self._how}"

    def last_words(self) -> list[str]:
        return list(self._words)

    def let_go(self) -> None:
        self.kill_group()

    def close(self) -> None:
        self._roster.forget(self.number)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where TaskManagers and workers call: at ``known_as``, where that is another address than the one listened on."""

    host: str
    port: int
    known_as: str = ""
    tls: TlsFiles | None = None


class Roster:
    """All TaskManagers. ``start`` begins to listen, ``close`` ends the thread. ``epoch`` is set before the start."""

    def __init__(self, secret: bytes, listening: Listening, heartbeat_timeout_s: float = 50.0) -> None:
        self.epoch = 0
        self.tls = listening.tls
        self._host = listening.host
        self._known_as = listening.known_as or listening.host
        self._heartbeat_timeout_s = heartbeat_timeout_s
        self._lock = threading.Lock()
        self._table = SlotTable()
        self._links: dict[str, ControlLink] = {}
        self._heard: dict[str, float] = {}
        self._workers: dict[int, PlacedWorker] = {}
        self._places: dict[str, dict[int, str]] = {}
        self._files_at: dict[str, set[str]] = {}
        self._numbers = 0
        self._questions: dict[int, tuple[str, Future[Any]]] = {}
        self._outbox: deque[tuple[str, object]] = deque()
        self._waiting: dict[str, Callable[[], None]] = {}
        # The last process of each TaskManager's id, and those before it, with who has taken their place.
        self._latest: dict[str, TaskManagerJoined] = {}
        self._replaced_by: dict[str, str] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ, lambda _: self._woken())
        self._listener = ControlListener(
            self._selector, secret, self._called, listening.host, listening.port, tls=listening.tls
        )
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True, name="taskmanagers")

    @property
    def port(self) -> int:
        """Where TaskManagers call."""
        return self._listener.port

    @property
    def host(self) -> str:
        """The address that is listened on."""
        return self._host

    @property
    def address(self) -> str:
        """Where workers and TaskManagers find this JobManager."""
        return self._known_as

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening. TaskManagers call again until there is a JobManager."""
        self._running = False
        self._stir()
        self._thread.join()

    # What jobs ask ------------------------------------------------------------------------------------------------------

    def place(
        self, job_id: str, birth: Birth, wanted: int, wake_up: Callable[[], None], files: JobFiles | None
    ) -> PlacedWorker | None:
        """Start one of the ``wanted`` workers of a job in a free slot; None, and ``wake_up`` later, where there is none.

        ``files`` of the job go to each TaskManager once, before its first worker there.
        """
        with self._lock:
            self._numbers += 1
            number = self._numbers
            taskmanager = self._table.take(number, job_id, wanted)
            if taskmanager is None:
                self._waiting[job_id] = wake_up
                return None
            worker = PlacedWorker(number, taskmanager, self, wake_up)
            self._workers[number] = worker
            self._places.setdefault(job_id, {})[birth.index] = taskmanager
            if files is not None and taskmanager not in self._files_at.setdefault(job_id, set()):
                self._files_at[job_id].add(taskmanager)
                self._outbox.append((taskmanager, BringFiles(job_id, files)))
        self.tell(taskmanager, StartWorker(number, birth, None if files is None else job_id))
        return worker

    def drop_files(self, job_id: str) -> None:
        """A job has ended: nobody needs its files any more, or waits for slots."""
        with self._lock:
            self._waiting.pop(job_id, None)
            told = self._files_at.pop(job_id, set())
        for taskmanager in told:
            self.tell(taskmanager, DropFiles(job_id))

    def places(self, job_id: str) -> dict[int, str]:
        """On which TaskManager each worker of a job runs, or ran last."""
        with self._lock:
            return dict(self._places.get(job_id, {}))

    def forget_job(self, job_id: str) -> None:
        """Nobody will ask any more where the workers of a job were."""
        with self._lock:
            self._places.pop(job_id, None)

    def forget(self, number: int) -> None:
        """A worker's pool has let it go."""
        with self._lock:
            self._workers.pop(number, None)

    def tell(self, taskmanager: str, message: object) -> None:
        """Say something to a TaskManager; nothing happens where it is gone."""
        self._outbox.append((taskmanager, message))
        self._stir()

    def entries(self) -> list[TaskManagerEntry]:
        """The TaskManagers as they are now."""
        with self._lock:
            return list(self._table.entries.values())

    def counted(self) -> Places:
        """How many TaskManagers and slots there are now."""
        with self._lock:
            table = self._table
            return Places(len(table.entries), table.total, table.free)

    def slots(self) -> tuple[int, int]:
        """All slots, and the free ones."""
        with self._lock:
            return self._table.total, self._table.free

    def slots_for(self, job_id: str) -> int:
        """How many slots a job can have: those that it holds, and the free ones."""
        with self._lock:
            return self._table.held_by(job_id) + self._table.free

    def ask_for_file(self, taskmanager: str, name: str, start: int = 0) -> "Future[FileContent]":
        """The content of a TaskManager's file from a byte on."""
        return self._ask(taskmanager, lambda request: ReadFile(request, name, start))

    def ask_for_files(self, taskmanager: str) -> "Future[tuple[tuple[str, int, int], ...]]":
        """The names, sizes and times of a TaskManager's files."""
        return self._ask(taskmanager, ListFiles)

    def ask_for_threads(self, taskmanager: str) -> "Future[tuple[tuple[str, str], ...]]":
        """What each thread of a TaskManager does: its name, and its stack."""
        return self._ask(taskmanager, ListThreads)

    def dismiss_all(self) -> None:
        """Have every TaskManager end."""
        for entry in self.entries():
            self.tell(entry.description.id, Dismissed())

    def _ask(self, taskmanager: str, question: Callable[[int], object]) -> "Future[Any]":
        answer: Future[Any] = Future()
        with self._lock:
            self._numbers += 1
            request = self._numbers
            self._questions[request] = (taskmanager, answer)
        self.tell(taskmanager, question(request))
        return answer

    # The thread ---------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while self._running:
            for key, mask in self._selector.select(LOOK_S):
                key.data(mask)
            self._listener.give_up_late()
            self._give_up_silent()
            while self._outbox:
                self._say(*self._outbox.popleft())
        for link in self._links.values():
            link.close()
        self._listener.close()
        self._selector.close()
        for end in (self._wake, self._waker):
            end.close()

    def _say(self, taskmanager: str, message: object) -> None:
        link = self._links.get(taskmanager)
        if link is not None:
            link.send(message)
            link.write()
        else:
            self._leave_unanswered(taskmanager)

    def _called(self, _index: int, sock: Any) -> None:
        known: list[str] = []
        link: ControlLink | None = None

        def take(message: Any) -> None:
            if isinstance(message, TaskManagerJoined) and link is not None:
                known[:] = [message.id]
                self._joined(message, link)
            elif known and self._links.get(known[0]) is link:
                self._take(known[0], message)

        def lost(reason: str) -> None:
            if known and self._links.get(known[0]) is link:
                self._left(known[0], f"its TaskManager was lost: {reason}")

        link = ControlLink(sock, self._selector, take, lost)

    def _joined(self, description: TaskManagerJoined, link: ControlLink) -> None:
        if description.epoch > self.epoch:
            _log.warning(
                "TaskManager %s has served epoch %d, and this JobManager has %d: it is not used",
                description.id,
                description.epoch,
                self.epoch,
            )
            link.close()
            return
        if not self._is_latest(description, link):
            return
        before = self._links.get(description.id)
        if before is not None and before is not link:
            # It has given that connection up, and ended its workers; or another process is in its place.
            before.close()
            self._left(description.id, "its TaskManager has called anew")
        link.send(Welcome(self.epoch))
        link.write()
        self._links[description.id] = link
        self._heard[description.id] = monotonic()
        with self._lock:
            self._table.join(description, SYSTEM_CLOCK.now_ms())
            waiting, self._waiting = list(self._waiting.values()), {}
        _log.info("TaskManager %s joined with %d slots", description.id, description.slots)
        for wake_up in waiting:
            wake_up()

    def _is_latest(self, description: TaskManagerJoined, link: ControlLink) -> bool:
        """Whether no other process has come under this id since this one came first: that has its place for good, as else
        both would take it from each other for ever."""
        by = self._replaced_by.get(description.instance)
        if by is not None:
            link.send(Replaced(by))
            link.write()
            return False
        last = self._latest.pop(description.id, description)
        self._latest[description.id] = description
        if last.instance != description.instance:
            by = self._replaced_by[last.instance] = _process(description)
            self._say(description.id, Replaced(by))
            _log.warning(
                "TaskManager %s is %s from now on, and no longer %s: both have this taskmanager.resource-id",
                description.id,
                by,
                _process(last),
            )
        for known in (self._latest, self._replaced_by):
            while len(known) > MOST_REMEMBERED:
                known.pop(next(iter(known)))
        return True

    def _take(self, taskmanager: str, message: Any) -> None:
        self._heard[taskmanager] = monotonic()
        match message:
            case Heartbeat(metrics):
                with self._lock:
                    entry = self._table.entries.get(taskmanager)
                    if entry is not None:
                        entry.last_heartbeat_ms = SYSTEM_CLOCK.now_ms()
                        entry.metrics = metrics
                self._say(taskmanager, HeartbeatHeard())
            case WorkerEnded(number, how, words):
                self._worker_ended(number, how, words)
            case FileContent(request):
                self._answer(request, message)
            case FileNames(request, files):
                self._answer(request, files)
            case ThreadStacks(request, threads):
                self._answer(request, threads)

    def _worker_ended(self, number: int, how: str, words: tuple[str, ...] = ()) -> None:
        with self._lock:
            self._table.give_back(number)
            worker = self._workers.get(number)
            waiting, self._waiting = list(self._waiting.values()), {}
        if worker is not None:
            worker.ended(how, words)
        for wake_up in waiting:
            wake_up()

    def _answer(self, request: int, value: Any) -> None:
        with self._lock:
            _, answer = self._questions.pop(request, ("", None))
        if answer is not None and answer.set_running_or_notify_cancel():
            answer.set_result(value)

    def _leave_unanswered(self, taskmanager: str) -> None:
        """Nobody is there any more who could answer."""
        with self._lock:
            asked = [request for request, (whom, _) in self._questions.items() if whom == taskmanager]
            answers = [self._questions.pop(request)[1] for request in asked]
        for answer in answers:
            if answer.set_running_or_notify_cancel():
                answer.set_exception(OutsideError(f"TaskManager {taskmanager} is gone"))

    def _left(self, taskmanager: str, why: str) -> None:
        self._links.pop(taskmanager, None)
        self._heard.pop(taskmanager, None)
        with self._lock:
            workers = self._table.leave(taskmanager)
            for told in self._files_at.values():
                told.discard(taskmanager)
        _log.warning("TaskManager %s is gone: %s", taskmanager, why)
        self._leave_unanswered(taskmanager)
        for number in workers:
            self._worker_ended(number, why)

    def _give_up_silent(self) -> None:
        late = monotonic() - self._heartbeat_timeout_s
        for taskmanager in [each for each, heard in self._heard.items() if heard < late]:
            link = self._links.get(taskmanager)
            if link is not None:
                link.close()
            self._left(taskmanager, f"its TaskManager did not answer for {self._heartbeat_timeout_s:g} s")

    def _stir(self) -> None:
        with suppress(OSError):
            self._waker.send(b"w")

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            self._wake.recv(4096)


def _process(description: TaskManagerJoined) -> str:
    return f"process {description.pid} on {description.host}"
