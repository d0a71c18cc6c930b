"""A worker is killed with ``kill -9`` while data is produced: what is left depends on the checkpoints.

A stateful function counts 2,000 records by key; half way one of its workers dies without a word. With
exactly-once no record is lost and every count comes once. With at-least-once no record is lost, and some may count twice.
Without checkpoints the job fails, and nothing of what it had done is left.

Run it with ``python examples/kill_a_worker.py``. It prints::

    exactly once:  2000 of 2000 records, every count once
    at least once: 2000 of 2000 records, counts may come twice
    disabled:      the job failed, 0 of 2000 records
"""

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from penstock.common import Encoder, Types, WatermarkStrategy
from penstock.datastream import (
    CheckpointingMode,
    KeyedProcessFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
)
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy
from penstock.datastream.connectors.file_system import FileSink
from penstock.datastream.state import ValueStateDescriptor
from penstock.errors import JobFailed

RECORDS = 2_000
KEYS = 4


class CountsAndDies(KeyedProcessFunction):
    """Counts the records of each key. The first attempt kills its own process half way."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """Get the state, and see which attempt this is."""
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))
        self.is_doomed = runtime_context.get_attempt_number() == 0

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Any:
        """One more of a key."""
        count = (self.count.value() or 0) + 1
        if self.is_doomed and ctx.get_current_key() == 0 and count > RECORDS // KEYS // 2:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count.update(count)
        yield f"{value} {ctx.get_current_key()} {count}"


def run(folder: Path, mode: CheckpointingMode | None) -> bool:
    """Run the job; says whether it came to its end."""
    env = StreamExecutionEnvironment.get_execution_environment(
        {
            "execution.checkpointing.dir": str(folder / "checkpoints"),
            "restart-strategy.exponential-delay.initial-backoff": "100 ms",
        }
    )
    env.set_parallelism(2)
    if mode is not None:
        env.enable_checkpointing(50, mode)
    rate = RateLimiterStrategy.per_second(1_000)
    source = DataGeneratorSource(lambda index: index, RECORDS, rate)
    sink = FileSink.for_row_format(str(folder / "out"), Encoder.simple_string_encoder()).build()
    numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
    numbers.key_by(lambda number: number % KEYS).process(CountsAndDies(), Types.STRING()).sink_to(sink)
    try:
        env.execute("killed")
    except JobFailed:
        return False
    return True


def written(folder: Path) -> list[list[int]]:
    """Value, key and count of every line that is visible in the result."""
    files = [file for file in (folder / "out").rglob("part-*") if file.is_file()]
    return [[int(word) for word in line.split()] for file in files for line in file.read_text().splitlines()]


def report(title: str, mode: CheckpointingMode | None) -> None:
    """Run the job in a mode, and say what is left."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ended = run(folder, mode)
        lines = written(folder)
    seen = len({value for value, _, _ in lines})
    counts = sorted((key, count) for _, key, count in lines)
    exact = counts == [(key, count) for key in range(KEYS) for count in range(1, RECORDS // KEYS + 1)]
    what = f"{seen} of {RECORDS} records"
    if not ended:
        what = f"the job failed, {what}"
    elif mode is CheckpointingMode.EXACTLY_ONCE:
        what += ", every count once" if exact else ", and the counts are wrong"
    else:
        what += ", counts may come twice"
    print(f"{title + ':':<14} {what}")


def main() -> None:
    """The same program in each mode."""
    report("exactly once", CheckpointingMode.EXACTLY_ONCE)
    report("at least once", CheckpointingMode.AT_LEAST_ONCE)
    report("disabled", None)


if __name__ == "__main__":
    main()
