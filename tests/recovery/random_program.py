"""A random program in the real world: what it writes goes into a folder of this machine.

``python -m tests.recovery.random_program SEED FOLDER [CHECKPOINT]`` runs one to its end at parallelism 1, in that process.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.chance import Chance, seeded
from penstock.common import Encoder
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSink
from penstock.testing.simulation.random_programs import random_program
from penstock.testing.simulation.stages import PACE


class Folder:
    """What a program asks of its world, in a folder of this machine."""

    def __init__(self, path: Path, seed: int) -> None:
        self._path = path
        self._seed = seed

    def chance(self, name: str) -> Chance:
        return seeded(f"penstock {name} {self._seed}")

    def directory(self, name: str) -> str:
        return str(self._path / name)

    def sink(self, name: str) -> Any:
        return FileSink.for_row_format(self.directory(name), Encoder.simple_string_encoder()).build()


@contextmanager
def slow_sources() -> Iterator[None]:
    """Have sources that are made meanwhile take their time, so that there is something to kill."""
    PACE.factor, PACE.least_ms = 12, 40
    yield
    PACE.factor, PACE.least_ms = 1, 0


def environment_for(seed: int, folder: Path, checkpoint: str = "") -> StreamExecutionEnvironment:
    """The environment of a seed's program, with the program in it; it may go on from a checkpoint."""
    chance = seeded(f"kills {seed}")
    options = {
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "1000",
        "restart-strategy.fixed-delay.delay": "5 ms",
        "execution.checkpointing.interval": f"{chance.choice((30, 100))} ms",
        "execution.checkpointing.dir": str(folder / "checkpoints"),
        "execution.checkpointing.tolerable-failed-checkpoints": "100",
        "execution.checkpointing.unaligned.enabled": chance.choice(("true", "false")),
        "state.backend.type": chance.choice(("hashmap", "rocksdb")),
    }
    if checkpoint:
        options["execution.state-recovery.path"] = checkpoint
        # Else the checkpoint would outlive a job that comes to its end before it is killed, and be gone on with once more.
        options["execution.state-recovery.claim-mode"] = "CLAIM"
    env = StreamExecutionEnvironment.get_execution_environment(options)
    env.set_parallelism(1 + seed % 4)
    random_program(seed)(env, Folder(folder / "out", seed))  # type: ignore[arg-type]
    return env


if __name__ == "__main__":
    with slow_sources():
        env = environment_for(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
    env.execute()
