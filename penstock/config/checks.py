"""Checks a configuration before a job starts: unknown keys, values that do not fit, options that do not exist here."""

from penstock.config.catalogue import find_option, find_similar
from penstock.config.configuration import Configuration
from penstock.config.option import ConfigOption
from penstock.config.value_texts import value_text
from penstock.errors import OptionError


def check_configuration(configuration: Configuration) -> list[str]:
    """Warnings about keys that Flink does not have although they look like it.

    Raises OptionError for a value that does not fit its option and for an option that is refused. Keys of the program's own
    pass.

    >>> check_configuration(Configuration().set_string("execution.checkpointing.intervall", "1 s"))
    ["there is no option 'execution.checkpointing.intervall'; did you mean 'execution.checkpointing.interval'?"]
    """
    warnings = []
    for key, text in configuration.to_dict().items():
        option = find_option(key)
        if option is None:
            meant = find_similar(key)
            if key.startswith(_ACCEPTED_FAMILIES):
                is_wrong = meant is not None and _is_a_slip(key, meant)
            else:
                is_wrong = meant is not None or key.startswith(_FLINK_FAMILIES)
            if is_wrong:
                question = "" if meant is None else f"; did you mean {meant!r}?"
                warnings.append(f"there is no option {key!r}{question}")
            continue
        value = configuration.get(ConfigOption(key, option.kind, None))
        if not option.supported and value != option.default:
            raise OptionError(
                f"{key} is set to {text!r}, which penstock does not support and which would change results; "
                f"leave it at {value_text(option.default)} ({option.meaning})"
            )
    return warnings


def _is_a_slip(key: str, meant: str) -> bool:
    """Whether one character that is wrong, missing or too much, or upper and lower case, is all that keeps two keys apart.

    >>> _is_a_slip("taskmanager.numberOfTaskSlot", "taskmanager.numberOfTaskSlots"), _is_a_slip("a.min", "a.max")
    (True, False)
    """
    if key.lower() == meant.lower():
        return True
    short, long = sorted((key, meant), key=len)
    same = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return len(long) - len(short) <= 1 and long[same + 1 :] == short[same + (len(long) == len(short)) :]


# Whole families that concern Java, other deployments or the tables of other modules: known, not listed one by one.
_ACCEPTED_FAMILIES = (
    "akka.",
    "blob.",
    "classloader.",
    "client.",
    "completed-application-store.",
    "env.",
    "events.",
    "external-resource",
    "fs.",
    "high-availability.",
    "historyserver.",
    "jmx.",
    "jobmanager.",
    "kubernetes.",
    "metrics.reporter.",
    "parallelism.",
    "pekko.",
    "plugin.",
    "queryable-state.",
    "resourcemanager.",
    "s3.",
    "security.",
    "sql-",
    "state.backend.rocksdb.",
    "table.",
    "taskmanager.",
    "traces.",
    "yarn.",
    "zookeeper.",
)

# The first words of Flink's keys; a key that starts with none of them is the program's own.
_FLINK_FAMILIES = (
    "cleanup-strategy.",
    "cluster.",
    "execution.",
    "heartbeat.",
    "io.",
    "jobstore.",
    "metrics.",
    "minicluster.",
    "pipeline.",
    "process.",
    "python.",
    "rest.",
    "restart-strategy.",
    "slot.",
    "state.",
    "task.",
    "web.",
)
