"""``python -m benchmarks``: run everything, or what ``--only`` names, and print the table.

Ten minutes of a steady stream, ``--only flat-memory``, are run when they are named, and not otherwise.
"""

import argparse
import sys

from benchmarks.catalogue import chosen
from benchmarks.measuring import BenchmarkFailed, measure
from benchmarks.table import HEADER, lines_of


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="a benchmark or a prefix; may be repeated"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each (default: 5, of latency 1)")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the input and 3 rounds: does it run at all?"
    )
    parser.add_argument("--latency-seconds", type=int, metavar="S", help="default: 10, with --quick 2")
    options = parser.parse_args()
    quick: bool = options.quick
    found = chosen(options.only, options.latency_seconds or (2 if quick else 10))
    if not found:
        parser.error(f"no benchmark is named {', '.join(options.only)}")
    print(
        "Ratio: speed of the subject over that of the other, median of the rounds; above 1 the subject is faster.\n"
    )
    print(HEADER)
    failed = False
    for benchmark in found:
        rounds = options.rounds or min(benchmark.rounds, 3 if quick else benchmark.rounds)
        try:
            for line in lines_of(measure(benchmark, rounds, quick)):
                print(line, flush=True)
        except BenchmarkFailed as failure:
            failed = True
            print(f"{benchmark.name:13} FAILED: {failure}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
