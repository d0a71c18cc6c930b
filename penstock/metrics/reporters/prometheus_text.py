"""Metrics as Prometheus reads them, in its text format 0.0.4, named and labelled as Flink's reporter does it."""

import re
from collections.abc import Iterable
from math import isnan

from penstock.metrics.readings import Reading, as_number
from penstock.metrics.reporters.settings import LOGICAL, ReporterSettings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BAD = re.compile("[^a-zA-Z0-9:_]")


def exposition(readings: Iterable[Reading], settings: ReporterSettings) -> str:
    """All metrics that are numbers. In the values of labels, too, all but letters, digits, ``:`` and ``_`` become ``_``, but
    where ``filterLabelValueCharacters`` is false.

    >>> from penstock.metrics.readings import Scope
    >>> reading = Reading(Scope.JOB, "numRestarts", 2, {"job_name": "a shop"})
    >>> print(exposition([reading], ReporterSettings("prom", {})), end="")
    # HELP flink_jobmanager_job_numRestarts numRestarts (scope: jobmanager_job)
    # TYPE flink_jobmanager_job_numRestarts gauge
    flink_jobmanager_job_numRestarts{job_name="a_shop"} 2
    """
    by_name: dict[str, tuple[str, list[str]]] = {}
    excluded, additional = settings.excluded_variables, settings.additional_variables
    of_label = _valid if settings.flag("filterLabelValueCharacters", True) else _escaped
    for reading in readings:
        value = as_number(reading.value)
        if value is None:
            continue
        scope = LOGICAL[reading.scope].replace(".", "_")
        name = _valid(f"flink_{scope}_{reading.logical_name or reading.name}")
        labels = {k: v for k, v in {**reading.variables, **additional}.items() if k not in excluded}
        text = ",".join(f'{_valid(key)}="{of_label(value)}"' for key, value in labels.items())
        lines = by_name.setdefault(name, (f"{reading.name} (scope: {scope})", []))[1]
        lines.append(f"{name}{{{text}}} {_number(value)}")
    return "".join(
        f"# HELP {name} {_escaped(meaning)}\n# TYPE {name} gauge\n" + "".join(f"{line}\n" for line in lines)
        for name, (meaning, lines) in by_name.items()
    )


def _valid(text: str) -> str:
    return _BAD.sub("_", text)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if isinstance(value, float) and isnan(value):
        return "NaN"
    return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(value, str(value))
