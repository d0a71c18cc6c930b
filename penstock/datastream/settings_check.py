"""Looks at the options of a program when a job starts: what would give other results is refused, what is missing is said."""

from importlib.util import find_spec

from penstock.config.checks import check_configuration
from penstock.config.configuration import Configuration
from penstock.errors import OptionError
from penstock.operators.user_code import warn_caller

_STATE_BACKEND = "state.backend.type"


def check_settings(configuration: Configuration) -> None:
    """Warn of options that are unknown, and of reporters where none are started.

    :raises OptionError: for an option whose value cannot be honoured, and would change what the job does.
    """
    if not configuration.key_set():
        return  # the catalogue of options need not be read
    for text in check_configuration(configuration):
        warn_caller(text)
    if configuration.get_string("execution.target", "local") == "local":
        for option in _options_of_reporters(configuration.to_dict()):
            warn_caller(
                f"{option} is set, and nothing is reported: jobs in the program's own process and its workers have no "
                "reporters; run the program on a cluster whose options name them (get_metrics() gives metrics here, too)"
            )
    if configuration.get(_STATE_BACKEND) == "rocksdb" and find_spec("rocksdict") is None:
        raise OptionError(
            f"{_STATE_BACKEND} is rocksdb, and the package rocksdict is not installed: pip install penstock[rocksdb], or set "
            "it to hashmap"
        )


def _options_of_reporters(options: dict[str, str]) -> list[str]:
    """The options that name reporters: a list where there is one, else those that say what each of them is.

    >>> _options_of_reporters({"metrics.reporter.prom.factory.class": "prometheus", "traces.reporters": "otel"})
    ['metrics.reporter.prom.factory.class', 'traces.reporters']
    """
    found = []
    for family in ("metrics", "traces"):
        wanted = options.get(f"{family}.reporters")
        if wanted is None:
            endings = (".factory.class", ".class")
            found += [
                key for key in options if key.startswith(f"{family}.reporter.") and key.endswith(endings)
            ]
        elif wanted.strip(" []"):
            found.append(f"{family}.reporters")
    return found
