"""Metrics as the API lists them, and put together over jobs, subtasks or TaskManagers.

Source: Flink's documentation, "Metrics", "REST API integration".
"""

from collections.abc import Callable, Iterable
from typing import Any

from penstock.errors import ProgramError
from penstock.metrics.readings import as_number

Json = dict[str, Any]


def listed(metrics: dict[str, Any], wanted: list[str] | None) -> list[Json]:
    """The names of all metrics, or the values of those that are wanted and there.

    >>> listed({"b": 1, "a": 2}, None)
    [{'id': 'a'}, {'id': 'b'}]
    >>> listed({"b": 1, "a": True}, ["b", "c", "a"])
    [{'id': 'b', 'value': '1'}, {'id': 'a', 'value': 'true'}]
    """
    if wanted is None:
        return [{"id": name} for name in sorted(metrics)]
    return [{"id": name, "value": _text(metrics[name])} for name in wanted if metrics.get(name) is not None]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def aggregated(
    all_metrics: Iterable[dict[str, Any]], wanted: list[str] | None, how: list[str] | None
) -> list[Json]:
    """The names of all metrics, or numbers that are wanted put together: all ways of it, or those of ``how``.

    >>> aggregated([{"n": 1}, {"n": 3}, {"m": "text"}], ["n", "m"], ["sum", "avg"])
    [{'id': 'n', 'sum': 4, 'avg': 2.0}]

    :raises ProgramError: for a way that there is not.
    """
    for each in how or []:
        if each not in AGGREGATIONS:
            raise ProgramError(f"agg is some of {', '.join(AGGREGATIONS)}, not {each!r}")
    sources = list(all_metrics)
    if wanted is None:
        return [{"id": name} for name in sorted({name for metrics in sources for name in metrics})]
    found = []
    for name in wanted:
        values = [n for metrics in sources if (n := as_number(metrics.get(name))) is not None]
        if values:
            found.append({"id": name, **{way: AGGREGATIONS[way](values) for way in how or AGGREGATIONS}})
    return found


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _skew(values: list[float]) -> float:
    """How far the values are from being equal, in percent, from 0 to 100: the mean distance from the mean, over the mean."""
    mean = _mean(values)
    if mean == 0:
        return 0.0
    distance = sum(abs(value - mean) for value in values) / len(values)
    return min(100.0, 100.0 * distance / abs(mean))


AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "min": min,
    "max": max,
    "sum": sum,
    "avg": _mean,
    "skew": _skew,
}
