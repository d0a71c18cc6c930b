"""Values of metrics at one moment, with where they belong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from penstock.metrics.kinds import Counter, Distribution, Meter, Metric


class Scope(Enum):
    """What a metric is of; the value is the end of the option ``metrics.scope.*``."""

    JOBMANAGER = "jm"
    JOB = "jm-job"
    TASKMANAGER = "tm"
    TASK = "task"
    OPERATOR = "operator"


class Kind(Enum):
    """The types of metrics; the value is Flink's word in filters."""

    COUNTER = "counter"
    GAUGE = "gauge"
    METER = "meter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric and its value. ``variables`` are Flink's: ``host``, ``tm_id``, ``job_name``, ``subtask_index`` and so on, and
    those of key and value groups, whose values are not in the ``logical_name``; it is the name where there are none."""

    scope: Scope
    name: str
    value: Any
    variables: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = Kind.GAUGE
    logical_name: str = ""


def placed(readings: Iterable[Reading], where: Mapping[str, str]) -> Iterator[Reading]:
    """Readings with the variables of where they are from."""
    for reading in readings:
        yield replace(reading, variables={**where, **reading.variables})


def kind_of(metric: Metric) -> Kind:
    """The type of a metric; what nobody knows better is a gauge."""
    return _KINDS.get(type(metric), Kind.GAUGE)


_KINDS: dict[type, Kind] = {Counter: Kind.COUNTER, Meter: Kind.METER, Distribution: Kind.HISTOGRAM}


def flat(name: str, value: Any) -> dict[str, Any]:
    """A metric that reads as a mapping, such as a distribution, as several; a meter is its rate, as in Flink.

    >>> flat("size", {"count": 2, "max": 5})
    {'size_count': 2, 'size_max': 5}
    >>> flat("seen", {"count": 9, "rate": 1.5})
    {'seen': 1.5}
    """
    if not isinstance(value, dict):
        return {name: value}
    if set(value) == {"count", "rate"}:
        return {name: value["rate"]}
    return {f"{name}_{part}": each for part, each in value.items()}


def as_number(value: Any) -> float | int | None:
    """The number that a value is, None for one that is none.

    >>> as_number(True), as_number("12"), as_number(2.5)
    (1, None, 2.5)
    """
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int | float) else None


def in_names(operator: str) -> str:
    """An operator's name as a part of the name of a metric.

    >>> in_names("Source: Collection Source")
    'Source__Collection_Source'
    """
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in operator)
