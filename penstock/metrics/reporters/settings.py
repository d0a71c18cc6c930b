"""What the options say of one reporter: ``metrics.reporter.NAME.*``.

Source: Flink's documentation, "Metric Reporters", "Configuration".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from penstock.config.quantities import parse_duration
from penstock.errors import ProgramError
from penstock.metrics.readings import Reading, Scope

INTERVAL_S = 10.0

# Where a reading belongs, as filters and Prometheus have it.
LOGICAL = {
    Scope.JOBMANAGER: "jobmanager",
    Scope.JOB: "jobmanager.job",
    Scope.TASKMANAGER: "taskmanager",
    Scope.TASK: "taskmanager.job.task",
    Scope.OPERATOR: "taskmanager.job.task.operator",
}


@dataclass(frozen=True, slots=True)
class ReporterSettings:
    """The options of one reporter, without the beginnings of their keys."""

    name: str
    given: Mapping[str, str]

    def text(self, key: str, default: str | None = None) -> str:
        """An option that has to be there where there is no default."""
        value = self.given.get(key, default)
        if value is None or (default is None and not value):
            raise ProgramError(f"metrics.reporter.{self.name}.{key} has to be set")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.given.get(key)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise ProgramError(f"metrics.reporter.{self.name}.{key} is true or false, not {value!r}")
        return value.lower() == "true"

    def port(self, key: str, default: str | None = None) -> int:
        """A port."""
        return self.ports(key, default)[0]

    def ports(self, key: str, default: str | None = None) -> list[int]:
        """A port, or a range such as ``9250-9260``."""
        text = self.text(key, default)
        first, _, last = text.partition("-")
        ends = [first.strip(), (last or first).strip()]
        if not all(end.isascii() and end.isdigit() and int(end) < 1 << 16 for end in ends):
            raise ProgramError(
                f"metrics.reporter.{self.name}.{key} is a port or a range such as 9250-9260, not {text!r}"
            )
        return list(range(int(ends[0]), int(ends[1]) + 1)) or [int(ends[0])]

    @property
    def interval_s(self) -> float:
        """Seconds from one report to the next."""
        text = self.given.get("interval")
        if text is None:
            return INTERVAL_S
        try:
            seconds = parse_duration(text) / 1e9
        except ValueError as error:
            raise ProgramError(f"metrics.reporter.{self.name}.interval: {error}") from error
        if seconds <= 0:
            raise ProgramError(
                f"metrics.reporter.{self.name}.interval is a duration above zero, not {text!r}"
            )
        return seconds

    @property
    def delimiter(self) -> str:
        """What stands between the parts of names."""
        return self.given.get("scope.delimiter") or "."

    @property
    def excluded_variables(self) -> set[str]:
        """Variables that are not told."""
        return set(_words(self.given.get("scope.variables.excludes", "")))

    @property
    def additional_variables(self) -> dict[str, str]:
        """Variables that are told with every metric: ``region:eu,rack:7``."""
        pairs = [word.partition(":") for word in _words(self.given.get("scope.variables.additional", ""))]
        return {name.strip(): value.strip() for name, _, value in pairs}

    def filter(self) -> "Filter":
        """Which metrics are told."""
        return Filter(
            _rules(self.name, "includes", self.given.get("filter.includes", "*:*:*")),
            _rules(self.name, "excludes", self.given.get("filter.excludes", "")),
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """Pairs of patterns, for scopes and names, of what is told and what is not.

    >>> only = Filter((("taskmanager.job.*", "num*"),), (("*", "*PerSecond"),))
    >>> told = [Reading(Scope.TASK, name, 1) for name in ("numRecordsIn", "numRecordsInPerSecond", "idle")]
    >>> [reading.name for reading in told if only.lets_pass(reading)]
    ['numRecordsIn']
    """

    includes: tuple[tuple[str, str], ...]
    excludes: tuple[tuple[str, str], ...]

    def lets_pass(self, reading: Reading) -> bool:
        """Whether a metric is told."""
        return _any(self.includes, reading) and not _any(self.excludes, reading)


def _any(rules: tuple[tuple[str, str], ...], reading: Reading) -> bool:
    scope = LOGICAL[reading.scope]
    return any(fnmatchcase(scope, where) and fnmatchcase(reading.name, what) for where, what in rules)


def _rules(reporter: str, kind: str, text: str) -> tuple[tuple[str, str], ...]:
    rules = []
    for rule in (each.strip() for each in text.split(";") if each.strip()):
        parts = rule.split(":")
        if len(parts) > 3 or (len(parts) == 3 and parts[2] not in ("*", "")):
            raise ProgramError(
                f"metrics.reporter.{reporter}.filter.{kind}: {rule!r} filters by the type of a metric, which is not "
                "supported; write SCOPE:NAME"
            )
        names = (parts[1] if len(parts) > 1 else "*").split(",")
        rules += [(parts[0].strip() or "*", name.strip() or "*") for name in names]
    return tuple(rules)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.replace(";", ",").split(",") if word.strip()]
