"""Starts the workers of a job in the slots of the cluster."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from penstock.deploy.cluster.job_files import JobFiles
from penstock.deploy.cluster.job_requirements import INSTALL_S
from penstock.deploy.cluster.roster import PlacedWorker, Roster
from penstock.deploy.local.lifeline import Birth
from penstock.deploy.local.starting import REGISTER_S
from penstock.logs.shipped import ShippedLogging
from penstock.network.tls import TlsFiles

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class ClusterLauncher:
    """One job's way to slots. ``import_path``: where its workers look for modules before they look where the TaskManager
    does, and after the ``files`` that the job has brought. ``workers``: how many slots it needs in all, which
    ``needs`` says in words."""

    roster: Roster
    job_id: str
    import_path: tuple[str, ...]
    argv: tuple[str, ...]
    workers: int
    needs: str
    patience_s: float = 300.0
    logging: ShippedLogging | None = None
    files: JobFiles | None = None
    _waits: bool = False

    @property
    def host(self) -> str:
        return self.roster.host

    @property
    def tls(self) -> TlsFiles | None:
        return self.roster.tls

    @property
    def register_s(self) -> float:
        installs = self.files is not None and self.files.requirements is not None
        return REGISTER_S + (INSTALL_S if installs else 0)

    def launch(
        self, index: int, port: int, secret: bytes, wake_up: Callable[[], None]
    ) -> PlacedWorker | None:
        birth = Birth(
            index,
            port,
            secret,
            0,
            list(self.import_path),
            list(self.argv),
            os.environ.get("PYTHONPATH"),
            self.roster.address,
            logging=self.logging,
        )
        placed = self.roster.place(self.job_id, birth, self.workers, wake_up, self.files)
        if placed is None and not self._waits:
            _log.warning("job %s waits for slots: %s", self.job_id, self._lacks())
        self._waits = placed is None
        return placed

    def why_not(self) -> str:
        return (
            f"{self._lacks()}, and no more came in {self.patience_s:g} s; start another TaskManager with `penstock "
            "taskmanager start`, or lower the parallelism"
        )

    def _lacks(self) -> str:
        total, free = self.roster.slots()
        missing = self.workers - self.roster.slots_for(self.job_id)
        return (
            f"it needs {self.needs}, the cluster has {total}, {free} of them free, and {missing} are missing"
        )
