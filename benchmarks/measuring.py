"""Runs contenders in turn, each run in a process of its own, and compares the runs of a round with each other."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.catalogue import Benchmark
from benchmarks.run import OUTCOME

RUN_TIMEOUT_S = 1200
FAR_BEHIND = 10
_FOREIGN = {"bytewax": "BENCH_BYTEWAX_PYTHON", "pyflink": "BENCH_PYFLINK_PYTHON"}

Outcome = dict[str, Any]


class BenchmarkFailed(Exception):
    """A run ended without an outcome, or two contenders do not agree on the result."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcomes of every round, by contender."""

    benchmark: Benchmark
    outcomes: dict[str, list[Outcome]]

    def middle(self, contender: str, what: str) -> float | None:
        """The median of a figure, None where it was not measured."""
        found = [outcome[what] for outcome in self.outcomes[contender] if what in outcome]
        return median(found) if found else None

    def ratios(self, rival: str) -> list[float]:
        """How much faster the subject was than the rival, round by round."""
        measure = self.benchmark.measure
        if measure == "cpu_seconds" and _engine_of(rival) in _FOREIGN:
            measure = "seconds"  # PyFlink's Java is another process, and several threads
        pairs = zip(self.outcomes[self.benchmark.subject], self.outcomes[rival], strict=False)
        return [theirs[measure] / ours[measure] for ours, theirs in pairs]


def _engine_of(contender: str) -> str:
    """What runs it: ``pyflink_exactly_once`` is one of PyFlink's."""
    return contender.partition("_")[0]


def interpreter_of(contender: str) -> str | None:
    """The interpreter that a contender runs under, None where none was named."""
    engine = _engine_of(contender)
    return os.environ.get(_FOREIGN[engine]) if engine in _FOREIGN else sys.executable


def measure(benchmark: Benchmark, rounds: int, quick: bool) -> Result:
    """All rounds of a benchmark: A B A B, so that both see the same machine."""
    parameters = benchmark.parameters(quick)
    contenders = [benchmark.subject, *(rival for rival in benchmark.rivals if interpreter_of(rival))]
    result = Result(benchmark, {contender: [] for contender in contenders})
    for number in range(rounds):
        for contender in contenders:
            if number > 0 and _engine_of(contender) == "pyflink" and _is_far_behind(contender, result):
                continue
            result.outcomes[contender].append(_run(benchmark.workload, contender, parameters))
        _check(benchmark, result)
    return result


def _is_far_behind(contender: str, result: Result) -> bool:
    """One round shows it then."""
    (theirs, *_), (ours, *_) = result.outcomes[contender], result.outcomes[result.benchmark.subject]
    return bool(theirs["seconds"] > FAR_BEHIND * ours["seconds"])


def _run(workload: str, contender: str, parameters: dict[str, Any]) -> Outcome:
    command = [
        interpreter_of(contender) or "",
        "-m",
        "benchmarks.run",
        workload,
        contender,
        json.dumps(parameters),
    ]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False
    )
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(OUTCOME):
            return json.loads(line.removeprefix(OUTCOME))  # type: ignore[no-any-return]
    last = "\n".join(done.stderr.splitlines()[-15:])
    raise BenchmarkFailed(f"{workload} by {contender} ended with {done.returncode} and no outcome:\n{last}")


def _check(benchmark: Benchmark, result: Result) -> None:
    """Contenders that report a check must report the same."""
    checks = {name: runs[-1]["check"] for name, runs in result.outcomes.items() if "check" in runs[-1]}
    if len({json.dumps(check) for check in checks.values()}) > 1:
        raise BenchmarkFailed(f"the results of {benchmark.name} differ: {checks}")
