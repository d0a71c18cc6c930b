"""What the options say of one reporter: ``metrics.reporter.NAME.*``.

Source: Flink's documentation, "Metric Reporters", "Configuration".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from penstock.config.quantities import parse_duration
from penstock.errors import ProgramError
from penstock.metrics.readings import Kind, Reading, Scope

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
    family: str = "metrics"

    @property
    def prefix(self) -> str:
        """How the keys of its options begin."""
        return f"{self.family}.reporter.{self.name}"

    def text(self, key: str, default: str | None = None) -> str:
        """An option that has to be there where there is no default."""
        value = self.given.get(key, default)
        if value is None or (default is None and not value):
            raise ProgramError(f"{self.prefix}.{key} has to be set")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.given.get(key)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise ProgramError(f"{self.prefix}.{key} is true or false, not {value!r}")
        return value.lower() == "true"

    def number(self, key: str, default: int) -> int:
        """A whole number."""
        text = self.given.get(key, str(default)).strip()
        if not text.isascii() or not text.removeprefix("-").isdigit():
            raise ProgramError(f"{self.prefix}.{key} is a number, not {text!r}")
        return int(text)

    def port(self, key: str, default: str | None = None) -> int:
        """A port."""
        return self.ports(key, default)[0]

    def ports(self, key: str, default: str | None = None) -> list[int]:
        """A port, or a range such as ``9250-9260``."""
        text = self.text(key, default)
        first, _, last = text.partition("-")
        ends = [first.strip(), (last or first).strip()]
        if not all(end.isascii() and end.isdigit() and int(end) < 1 << 16 for end in ends):
            raise ProgramError(f"{self.prefix}.{key} is a port or a range such as 9250-9260, not {text!r}")
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
            raise ProgramError(f"{self.prefix}.interval: {error}") from error
        if seconds <= 0:
            raise ProgramError(f"{self.prefix}.interval is a duration above zero, not {text!r}")
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


def by_name(family: str, options: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The options of each reporter of ``metrics`` or ``traces``, without the beginnings of their keys.

    >>> by_name("metrics", {"metrics.reporter.prom.port": "9249", "metrics.reporters": "prom"})
    {'prom': {'port': '9249'}}
    """
    prefix = f"{family}.reporter."
    found: dict[str, dict[str, str]] = {}
    for key, value in options.items():
        if key.startswith(prefix):
            name, _, rest = key[len(prefix) :].partition(".")
            found.setdefault(name, {})[rest] = value
    return found


def chosen_names(wanted: str | None, given: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The reporters that are to be started: those that a list names, else all that have a factory."""
    if wanted is None:
        return [name for name, own in given.items() if "factory.class" in own or "class" in own]
    return _words(wanted.strip("[]"))


@dataclass(frozen=True, slots=True)
class Rule:
    """Metrics of a scope, a name and a type."""

    scope: str
    name: str
    kinds: frozenset[Kind] = frozenset(Kind)

    def fits(self, reading: Reading) -> bool:
        """Whether a metric is one of them."""
        return (
            reading.kind in self.kinds
            and fnmatchcase(LOGICAL[reading.scope], self.scope)
            and fnmatchcase(reading.name, self.name)
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """What is told, and what is not: patterns for scopes and names, and the types of metrics.

    >>> only = Filter((Rule("taskmanager.job.*", "num*"),), (Rule("*", "*PerSecond"),))
    >>> told = [Reading(Scope.TASK, name, 1) for name in ("numRecordsIn", "numRecordsInPerSecond", "idle")]
    >>> [reading.name for reading in told if only.lets_pass(reading)]
    ['numRecordsIn']
    """

    includes: tuple[Rule, ...]
    excludes: tuple[Rule, ...]

    def lets_pass(self, reading: Reading) -> bool:
        """Whether a metric is told."""
        return _any(self.includes, reading) and not _any(self.excludes, reading)


def _any(rules: tuple[Rule, ...], reading: Reading) -> bool:
    return any(rule.fits(reading) for rule in rules)


def _rules(reporter: str, which: str, text: str) -> tuple[Rule, ...]:
    rules = []
    for written in (each.strip() for each in text.split(";") if each.strip()):
        parts = [part.strip() or "*" for part in written.split(":")]
        scope, names, kinds, *rest = parts + ["*"] * (3 - len(parts))
        known = [kind.value for kind in Kind]
        given = known if kinds == "*" else [kind.strip().lower() for kind in kinds.split(",")]
        if rest or not set(given) <= set(known):
            raise ProgramError(
                f"metrics.reporter.{reporter}.filter.{which} is SCOPE:NAME:TYPE, with a type of {', '.join(known)}; not "
                f"{written!r}"
            )
        of = frozenset(Kind(kind) for kind in given)
        rules += [Rule(scope, name.strip() or "*", of) for name in names.split(",")]
    return tuple(rules)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.replace(";", ",").split(",") if word.strip()]
