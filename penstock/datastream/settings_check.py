"""Looks at the options of a program when a job starts: what would give other results is refused, what is missing is said."""

from importlib.util import find_spec

from penstock.config.checks import check_configuration
from penstock.config.configuration import Configuration
from penstock.errors import OptionError
from penstock.operators.user_code import warn_caller

_STATE_BACKEND = "state.backend.type"


def check_settings(configuration: Configuration) -> None:
    """Warn of options that are unknown.

    :raises OptionError: for an option whose value cannot be honoured, and would change what the job does.
    """
    if not configuration.key_set():
        return  # the catalogue of options need not be read
    for text in check_configuration(configuration):
        warn_caller(text)
    if configuration.get(_STATE_BACKEND) == "rocksdb" and find_spec("rocksdict") is None:
        raise OptionError(
            f"{_STATE_BACKEND} is rocksdb, and the package rocksdict is not installed: pip install penstock[rocksdb], or set "
            "it to hashmap"
        )
