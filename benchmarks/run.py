"""One run of one contender, in a process of its own: ``python -m benchmarks.run WORKLOAD CONTENDER '{"rows": 1000}'``.

Runs under any interpreter, so it imports nothing but the standard library. The last line of standard output is the outcome.
"""

import importlib
import json
import resource
import sys
import time
from typing import Any

OUTCOME = "outcome: "


def main(workload: str, contender: str, parameters: dict[str, Any]) -> None:
    """Prepare, measure, report."""
    module = importlib.import_module(f"benchmarks.workloads.{workload}")
    work = getattr(module, contender)(**parameters)
    cpu_before, started = cpu_seconds(), time.perf_counter()
    measured = work() or {}
    outcome = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": cpu_seconds() - cpu_before,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(f"\n{OUTCOME}{json.dumps(outcome | measured)}", flush=True)


def cpu_seconds() -> float:
    """Of this process and of those that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
