"""What the processes of a cluster are told: the directory that they share, and options in the order in which they count."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from penstock.cli.command_lines import usage_error
from penstock.cli.configuration_files import has_configuration, read_configuration
from penstock.cli.properties import property_of
from penstock.config.checks import check_configuration
from penstock.deploy.cluster.leadership import storage_directory
from penstock.deploy.cluster.secret import home_directory
from penstock.errors import PenstockError
from penstock.storage.reading import absolute_path

RESOURCE_ID = "taskmanager.resource-id"
DEFAULTS = {
    "jobmanager.rpc.address": "localhost",
    "jobmanager.rpc.port": "6123",
    "rest.bind-address": "localhost",
    "rest.port": "8081",
    "taskmanager.numberOfTaskSlots": "1",
}
PROPERTIES = "PENSTOCK_PROPERTIES"


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """``home`` holds ``conf/``, ``log/`` and ``run/``: pid files, the secret, the jobs."""

    home: Path
    options: dict[str, str]
    conf_dir: Path | None

    @property
    def run_dir(self) -> Path:
        """Pid files, the secret and the submitted jobs."""
        return self.home / "run"

    @property
    def log_dir(self) -> Path:
        """Where logs and outputs go: ``env.log.dir``, else ``log/`` of the home."""
        return Path(
            self.options.get("env.log.dir") or os.environ.get("PENSTOCK_LOG_DIR") or self.home / "log"
        )

    @property
    def storage_dir(self) -> str | None:
        """Where JobManagers note epochs and jobs for each other: ``high-availability.storageDir``, where it is set."""
        return storage_directory(self.options)

    @property
    def results_dir(self) -> str | None:
        """Where JobManagers note for each other that a job has ended: ``job-result-store.storage-path``, where it is set."""
        path = self.options.get("job-result-store.storage-path")
        return absolute_path(path) if path else None

    def check_taskmanagers(self, wanted: int) -> None:
        """Refuse to give several TaskManagers one id."""
        if wanted > 1 and self.options.get(RESOURCE_ID):
            usage_error(
                f"{RESOURCE_ID} is the id of one TaskManager, and {wanted} are to be started; start them one by one, each "
                f"with its own: penstock taskmanager start -D {RESOURCE_ID}=ID"
            )

    def number(self, key: str) -> int:
        """A whole number."""
        text = self.options[key]
        if not text.isdigit():
            usage_error(f"{key} is a number, not {text!r}")
        return int(text)

    def ports(self) -> list[int]:
        """The ports of the REST API, the wanted one first: ``rest.bind-port`` may be a range."""
        text = self.options.get("rest.bind-port") or self.options["rest.port"]
        first, dash, last = text.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            usage_error(f"rest.bind-port is a port or a range such as 8081-8089, not {text!r}")
        return list(range(int(first), int(last or first) + 1))

    def seconds(self, key: str, default_s: float) -> float:
        """A duration in Flink's way of writing it."""
        from penstock.config.configuration import Configuration

        text = self.options.get(key)
        if text is None:
            return default_s
        millis = Configuration.from_dict({key: text}).get_millis(key)
        return default_s if millis is None else millis / 1000


def cluster_settings(
    conf_dir: str | None, properties: tuple[str, ...], **flags: str | None
) -> ClusterSettings:
    """Options of the file, of ``-D`` and of flags; later ones win. Whoever has started this process as a daemon may have told
    ``-D`` in the environment."""
    properties = (*json.loads(os.environ.pop(PROPERTIES, "[]")), *properties)
    home = home_directory()
    directory = Path(conf_dir) if conf_dir else home / "conf"
    options = dict(DEFAULTS)
    if conf_dir or has_configuration(directory):
        try:
            configuration = read_configuration(directory)
            check_configuration(configuration)
        except PenstockError as error:
            usage_error(f"the configuration of {directory}: {error}")
        options.update(configuration.to_dict())
    for text in properties:
        options.update(property_of(text).to_dict())
    options.update({key: value for key, value in flags.items() if value is not None})
    return ClusterSettings(home, options, directory if directory.is_dir() else None)
