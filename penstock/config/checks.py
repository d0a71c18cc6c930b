"""Checks a configuration before a job starts: unknown keys, values that do not fit, options that do not exist here."""

from penstock.config.catalogue import did_you_mean, find_option
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
            meant = did_you_mean(key)
            if (meant or key.startswith(_FLINK_FAMILIES)) and not key.startswith(_ACCEPTED_FAMILIES):
                warnings.append(f"there is no option {key!r}{meant}")
            continue
        value = configuration.get(ConfigOption(key, option.kind, None))
        if not option.supported and value != option.default:
            raise OptionError(
                f"{key} is set to {text!r}, which penstock does not support and which would change results; "
                f"leave it at {value_text(option.default)} ({option.meaning})"
            )
    return warnings


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
