"""What the options of a cluster say of jobs that say nothing of it themselves.

Source: Flink's documentation, "Checkpointing", "Savepoints", "Task failure recovery": what is set in the cluster's file holds
where a program sets nothing. Whether checkpoints are taken at all is the program's.
"""

from collections.abc import Mapping
from dataclasses import replace

from penstock.config.catalogue import all_options
from penstock.config.option import ConfigOption
from penstock.dataflow.job import JobGraph

_KEYS = (
    "execution.checkpointing.dir",
    "execution.checkpointing.savepoint-dir",
    "execution.checkpointing.storage",
    "execution.checkpointing.num-retained",
    "execution.checkpointing.incremental",
    "state.backend.type",
    "jobmanager.execution.failover-strategy",
    "jobmanager.execution.attempts-history-size",
)
_RESTARTS = "restart-strategy."


def job_defaults(options: Mapping[str, str]) -> dict[str, str]:
    """Those of a cluster's options that are defaults of its jobs, by their present keys.

    >>> job_defaults({"state.savepoints.dir": "/savepoints", "rest.port": "8081"})
    {'execution.checkpointing.savepoint-dir': '/savepoints'}
    """
    found = {}
    for option in all_options():
        if option.key in _KEYS or option.key.startswith(_RESTARTS):
            value = _find(option, options)
            if value is not None:
                found[option.key] = value
    return found


def with_defaults(graph: JobGraph, defaults: Mapping[str, str]) -> JobGraph:
    """A job with what it does not set itself; of how jobs start again it has all that is set, or nothing."""
    if not defaults:
        return graph
    own = graph.settings
    restarts_its_way = any(key == "restart-strategy" or key.startswith(_RESTARTS) for key in own)
    missing = {}
    for option in all_options():
        is_its_own = restarts_its_way and option.key.startswith(_RESTARTS)
        if option.key in defaults and not is_its_own and _find(option, own) is None:
            missing[option.key] = defaults[option.key]
    return replace(graph, settings={**own, **missing})


def _find(option: ConfigOption[object], options: Mapping[str, str]) -> str | None:
    keys = (option.key, *option.deprecated_keys)
    return next((options[key] for key in keys if key in options), None)
