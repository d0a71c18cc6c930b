"""Options from outside the program: what the command line says wins over the configuration directory, which is ``conf/`` of
the home where none is named, as for every other command.

The program's own settings win over both, since environments only start with these.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.cli.command_lines import usage_error
from penstock.cli.configuration_files import has_configuration, read_configuration
from penstock.cli.properties import property_of
from penstock.config.checks import check_configuration
from penstock.config.configuration import Configuration
from penstock.deploy.cluster.secret import home_directory
from penstock.errors import PenstockError


@dataclass(frozen=True, slots=True)
class Settings:
    """How a program is to run. ``import_path`` is where it may import from, besides where it lies itself."""

    configuration: Configuration
    import_path: tuple[str, ...] = ()
    pyflink: bool = False
    verbose: bool = False


def gather_settings(given: dict[str, Any], on_cluster: bool = False) -> Settings:
    """Settings from the values of the command's parameters. ``on_cluster``: the program gets one whatever the target is.

    :raises click.UsageError: for what cannot be understood.
    """
    configuration = Configuration()
    if given["conf_dir"]:
        configuration = _read_directory(given["conf_dir"])
        os.environ["PENSTOCK_CONF_DIR"] = given["conf_dir"]  # where executors find the job's logging file
    elif has_configuration(home_directory() / "conf"):
        configuration = _read_directory(str(home_directory() / "conf"))
    for text in given["properties"]:
        configuration.add_all(property_of(text))
    address = given.get("address")
    if address is not None:
        host, colon, port = address.rpartition(":")
        if not colon or not host or not port.isdigit():
            usage_error(f"-m takes HOST:PORT, not {address!r}")
        configuration.set_string("execution.target", "remote")
        configuration.set_string("rest.address", host)
        configuration.set_string("rest.port", port)
    flags = {
        "execution.shutdown-on-attached-exit": given["shutdown"] or None,
        "parallelism.default": given["parallelism"],
        "execution.target": given["target"],
        "python.files": given["files"],
        "python.archives": given["archives"],
        "python.pythonpath": given["python_path"],
        "python.requirements": given["requirements"],
        "execution.state-recovery.path": given["savepoint"],
        "execution.state-recovery.ignore-unclaimed-state": given["allow_non_restored"] or None,
        "execution.state-recovery.claim-mode": given["claim_mode"] or given["restore_mode"],
    }
    for key, value in flags.items():
        if value is not None:
            configuration.set(key, value)
    if given["requirements"] is not None:
        on_cluster = on_cluster or configuration.get_string("execution.target", "local") != "local"
        _check_requirements(given["requirements"].partition("#")[0], on_cluster)
    return Settings(configuration, _import_path(configuration), given["pyflink"], given["verbose"])


def _read_directory(name: str) -> Configuration:
    try:
        configuration = read_configuration(Path(name))
        check_configuration(configuration)
    except PenstockError as error:
        usage_error(f"the configuration of {name}: {error}")
    return configuration


def _import_path(configuration: Configuration) -> tuple[str, ...]:
    from penstock.datastream.python_files import import_directory

    places = []
    for key, separator in (("python.files", ","), ("python.pythonpath", os.pathsep)):
        for name in (configuration.get_string(key, "") or "").split(separator):
            if not name.strip():
                continue
            if not Path(name.strip().removeprefix("file://")).exists():
                usage_error(f"there is no file or directory {name.strip()!r} to import from ({key})")
            places.append(import_directory(name.strip()))
    return tuple(dict.fromkeys(places))


def _check_requirements(name: str, on_cluster: bool) -> None:
    """A cluster installs what is missing; elsewhere nobody does."""
    from penstock.datastream.python_files import missing_requirements

    if not Path(name).is_file():
        usage_error(f"there is no file {name!r} of requirements")
    missing = [] if on_cluster else missing_requirements(name)
    if missing:
        usage_error(
            f"{name} asks for {', '.join(missing)}; programs run in this interpreter, so install it here: "
            f"{sys.executable} -m pip install -r {name}"
        )
