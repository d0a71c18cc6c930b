"""Which JobManager leads: each start takes a new epoch from storage that all of a cluster's processes reach.

The newest epoch leads. One that is older may still run, as it was paused or cut off: it finds out before it does anything
that lasts. Completing a checkpoint is safe by the order of two steps on each side: the older JobManager writes the manifest
and then looks for a newer epoch, and the newer one takes its epoch and then looks for manifests. So either the older one sees
that it leads no longer, and tells nobody of the checkpoint, or the newer one goes on from that very checkpoint.
"""

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.errors import OutsideError, PenstockError
from penstock.runtime.background import Background, Then, Work
from penstock.storage.reading import absolute_path, open_file
from penstock.storage.writing import create_file, delete_if_there, files_below, write_in_place

KEPT_EPOCHS = 64


class NoLongerLeading(PenstockError):
    """A newer JobManager leads the cluster; this one may do nothing that lasts."""


@dataclass(frozen=True, slots=True)
class Leader:
    """Where the JobManager of an epoch is reached: by TaskManagers, and by clients."""

    epoch: int
    host: str = ""
    port: int = 0
    rest_host: str = ""
    rest_port: int = 0
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class Epochs:
    """The epochs of one cluster in a directory or at a URL; each is a file that can be made once.

    >>> import tempfile
    >>> epochs = Epochs(tempfile.mkdtemp())
    >>> epochs.newest(), epochs.take(), epochs.take(), epochs.newest()
    (0, 1, 2, 2)
    """

    directory: str

    def newest(self) -> int:
        """The newest epoch that was taken, 0 before the first.

        :raises OutsideError: where storage does not answer.
        """
        return max(self._taken(), default=0)

    def take(self) -> int:
        """A new epoch, above all others, that nobody else has.

        :raises OutsideError: where it cannot be written.
        """
        while True:
            epoch = self.newest() + 1
            if create_file(f"{self.directory}/epochs/{epoch:010d}", b""):
                for old in self._taken():
                    if old <= epoch - KEPT_EPOCHS:
                        delete_if_there(f"{self.directory}/epochs/{old:010d}")
                        delete_if_there(self._address_file(old))
                return epoch

    def publish(self, leader: Leader) -> None:
        """Say where the JobManager of an epoch is."""
        write_in_place(self._address_file(leader.epoch), json.dumps(asdict(leader)).encode())

    def leader(self) -> Leader | None:
        """The JobManager of the newest epoch; None where there is none, or it has not said yet where it is."""
        epoch = self.newest()
        if epoch == 0:
            return None
        try:
            with open_file(self._address_file(epoch)) as file:
                return Leader(**json.loads(file.read()))
        except (OutsideError, ValueError, TypeError):
            return None

    def _taken(self) -> list[int]:
        names = [path.rpartition("/")[2] for path in files_below(f"{self.directory}/epochs")]
        return [int(name) for name in names if name.isdigit()]

    def _address_file(self, epoch: int) -> str:
        return f"{self.directory}/leaders/{epoch:010d}.json"


def storage_directory(options: Mapping[str, str]) -> str | None:
    """Where the JobManagers of a cluster note epochs and jobs: below ``high-availability.storageDir``, where that is set."""
    base = options.get("high-availability.storageDir")
    if not base:
        return None
    cluster = options.get("high-availability.cluster-id", "/default").strip("/")
    return f"{absolute_path(base).rstrip('/')}/{cluster}"


class Leadership:
    """What one JobManager knows of its epoch. :meth:`check` may be called by any thread."""

    def __init__(self, epochs: Epochs) -> None:
        self._epochs = epochs
        self.epoch = 0

    def take(self) -> int:
        """Lead from now on; whoever led before finds out."""
        self.epoch = self._epochs.take()
        return self.epoch

    def publish(self, host: str, port: int, rest_host: str, rest_port: int) -> None:
        """Say where this JobManager is."""
        now_ms = SYSTEM_CLOCK.now_ms()
        self._epochs.publish(Leader(self.epoch, host, port, rest_host, rest_port, now_ms))

    def check(self) -> None:
        """Make sure that no other leads.

        :raises NoLongerLeading: where one does.
        :raises OutsideError: where it cannot be told.
        """
        newest = self._epochs.newest()
        if newest > self.epoch:
            raise NoLongerLeading(
                f"this JobManager has epoch {self.epoch}, and one with epoch {newest} leads the cluster now; what this "
                "one had under way is not completed"
            )


class FencedBackground(Background):
    """Work on storage that is begun, and counts, only while its JobManager leads."""

    def __init__(self, check: Callable[[], None], name: str, wake_up: Callable[[], None]) -> None:
        super().__init__(name, wake_up)
        self._check = check

    def submit(self, work: Work, then: Then) -> None:
        def fenced() -> Any:
            self._check()
            result = work()
            self._check()
            return result

        super().submit(fenced, then)


class LeaderWatch:
    """Looks in the background who leads; ``latest`` is what was last found."""

    def __init__(self, epochs: Epochs, interval_s: float) -> None:
        self._epochs = epochs
        self._interval_s = interval_s
        self._ended = threading.Event()
        self.latest: Leader | None = None
        self.look()
        self._thread = threading.Thread(target=self._run, daemon=True, name="who leads")
        self._thread.start()

    def look(self) -> None:
        """Look now; what was found before stays while storage does not answer."""
        with suppress(OutsideError):
            self.latest = self._epochs.leader() or self.latest

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._interval_s):
            self.look()
