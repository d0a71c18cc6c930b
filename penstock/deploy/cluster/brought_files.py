"""The files of jobs at a TaskManager: made ready beside its other work, before the workers start that use them."""

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from penstock.deploy.cluster.job_directories import WORK, JobDirectories, unpack_archives
from penstock.deploy.cluster.job_files import JobFiles
from penstock.deploy.cluster.job_modules import import_places
from penstock.deploy.cluster.job_requirements import install_requirements
from penstock.deploy.cluster.messages import StartWorker
from penstock.errors import PenstockError


@dataclass(slots=True, eq=False)
class _Brought:
    """The files of one job. ``directory`` is there when they are ready; ``waiting`` are the workers that wait for it,
    ``users`` those that run."""

    files: JobFiles
    directory: Path | None = None
    is_being_made_ready: bool = False
    waiting: list[StartWorker] = field(default_factory=list)
    users: set[int] = field(default_factory=set)
    is_dropped: bool = False


class BroughtFiles:
    """All of them. The methods belong to the thread that owns ``selector``.

    ``start`` starts a worker, ``refuse`` says of one why it cannot be started.
    """

    def __init__(
        self,
        directories: JobDirectories,
        selector: selectors.BaseSelector,
        start: Callable[[StartWorker], None],
        refuse: Callable[[int, str], None],
    ) -> None:
        self._directories = directories
        self._start = start
        self._refuse = refuse
        self._jobs: dict[str, _Brought] = {}
        self._used_by: dict[int, _Brought] = {}
        self._ready: deque[tuple[_Brought, Path | str]] = deque()
        self._threads: list[threading.Thread] = []
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._selector = selector
        selector.register(self._woken, selectors.EVENT_READ, lambda _: self._take_ready())

    def bring(self, job_id: str, files: JobFiles) -> None:
        """The files of a job have come."""
        self.drop(job_id)
        self._jobs[job_id] = _Brought(files)
        self._make_ready(job_id, self._jobs[job_id])

    def _make_ready(self, job_id: str, brought: _Brought) -> None:
        brought.is_being_made_ready = True
        thread = threading.Thread(
            target=self._prepare, args=(job_id, brought), daemon=True, name=f"files of {job_id}"
        )
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def start_when_ready(self, order: StartWorker) -> None:
        """Start a worker, once the files of its job are ready."""
        if order.files_of is None:
            self._start(order)
            return
        brought = self._jobs.get(order.files_of)
        if brought is None:
            self._refuse(order.number, f"the files of job {order.files_of} have not come here")
            return
        brought.waiting.append(order)
        if brought.directory is not None:
            self._go_on(brought, brought.directory)
        elif not brought.is_being_made_ready:
            self._make_ready(
                order.files_of, brought
            )  # it has failed, and what was missing may be there by now

    def give_up(self, number: int) -> None:
        """A worker that may be waiting is wanted no more."""
        for brought in self._jobs.values():
            if any(order.number == number for order in brought.waiting):
                brought.waiting = [order for order in brought.waiting if order.number != number]
                self._refuse(number, "it was given up before the files of its job were ready")

    def ended(self, number: int) -> None:
        """A worker has ended."""
        brought = self._used_by.pop(number, None)
        if brought is not None:
            brought.users.discard(number)
            self._remove_unused(brought)

    def drop(self, job_id: str) -> None:
        """The job has ended. Its files are removed when the last of its workers has, too."""
        brought = self._jobs.pop(job_id, None)
        if brought is not None:
            brought.is_dropped = True
            for order in brought.waiting:
                self._refuse(order.number, "its job has ended")
            brought.waiting = []
            self._remove_unused(brought)

    def drop_all(self) -> None:
        """There is no job any more."""
        for job_id in list(self._jobs):
            self.drop(job_id)

    def close(self) -> None:
        """Leave nothing behind."""
        self.drop_all()
        for thread in self._threads:
            thread.join()
        self._directories.close()
        self._selector.unregister(self._woken)
        for end in (self._woken, self._waker):
            end.close()

    def _prepare(self, job_id: str, brought: _Brought) -> None:
        """In a thread of its own."""
        outcome: Path | str
        try:
            outcome = self._directories.unpack(job_id, brought.files)
            try:
                unpack_archives(outcome, brought.files)
                install_requirements(outcome, brought.files, lambda: not brought.is_dropped)
            except BaseException:
                self._directories.remove(outcome)
                raise
        except PenstockError as error:
            outcome = error.message
        except Exception as error:  # noqa: BLE001  (its workers wait for an answer, whatever it was)
            outcome = f"the files of job {job_id} cannot be made ready: {type(error).__name__}: {error}"
        self._ready.append((brought, outcome))
        with suppress(OSError):
            self._waker.send(b"r")

    def _take_ready(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._ready:
            brought, outcome = self._ready.popleft()
            brought.is_being_made_ready = False
            if isinstance(outcome, Path):
                brought.directory = outcome
                self._go_on(brought, outcome)
                self._remove_unused(brought)
                continue
            waiting, brought.waiting = brought.waiting, []
            for order in waiting:
                self._refuse(order.number, outcome)

    def _go_on(self, brought: _Brought, directory: Path) -> None:
        waiting, brought.waiting = brought.waiting, []
        working_directory = str(directory / WORK) if brought.files.archives else None
        for order in waiting:
            places = import_places(directory, brought.files)
            brought.users.add(order.number)
            self._used_by[order.number] = brought
            birth = replace(
                order.birth,
                sys_path=[*places, *order.birth.sys_path],
                working_directory=working_directory,
            )
            self._start(replace(order, birth=birth))

    def _remove_unused(self, brought: _Brought) -> None:
        if brought.is_dropped and not brought.users and brought.directory is not None:
            self._directories.remove(brought.directory)
