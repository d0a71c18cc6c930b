"""A job in simulated worlds: workers die, writes stop in the middle, messages are late; the output is the same in each.

Run it with ``python examples/simulated_failures.py``. It prints::

    30 worlds, many kinds of faults, and the same 12 totals in all
"""

from typing import Any

from penstock.common import Time
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.window import TumblingEventTimeWindows
from penstock.testing import StreamRecord
from penstock.testing.simulation import Trickle, World, simulate

READINGS = [[StreamRecord((room, at % 7), at) for at in range(0, 60, 3)] for room in ("attic", "cellar")]


def program(env: StreamExecutionEnvironment, world: World) -> None:
    """The highest reading of each room, every ten milliseconds, into a sink that commits with checkpoints."""
    readings = env.from_source(Trickle(READINGS), Trickle.strategy(), "readings")
    windows = readings.key_by(lambda row: row[0]).window(TumblingEventTimeWindows.of(Time.milliseconds(10)))
    windows.reduce(highest).sink_to(world.sink("highest"))


def highest(a: Any, b: Any) -> Any:
    """The higher one of two readings of a room."""
    return max(a, b)


def main() -> None:
    """Run the program in thirty worlds; the first one that went wrong would raise, with its story and its seed."""
    outcomes = [simulate(program, seed) for seed in range(30)]
    kinds = {fault for outcome in outcomes for fault in outcome.faults}
    totals = {len(outcome.outputs["highest"]) for outcome in outcomes}
    many = "many" if len(kinds) > 10 else len(kinds)
    print(f"{len(outcomes)} worlds, {many} kinds of faults, and the same {totals.pop()} totals in all")


if __name__ == "__main__":
    main()
