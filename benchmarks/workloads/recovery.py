"""How soon a job at parallelism 2 counts again after ``kill -9`` of one of its workers.

A running count by key goes on from its last checkpoint. Measured is the time from the kill until both subtasks behind the
exchange have given a record again; the restart strategy waits a millisecond.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

from penstock.contracts.functions import MapFunction, RuntimeContext

SPREAD = 7_368_787  # a prime, so that the keys come in no order
WORKERS = 2
POLL_S = 0.002
LONGEST_S = 300


class Watched(MapFunction):
    """Leaves a file with its process's number when it is opened, and one with the time of its first record."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._is_first = True

    def open(self, runtime_context: RuntimeContext) -> None:
        self._name = f"{runtime_context.get_index_of_this_subtask()}-{runtime_context.get_attempt_number()}"
        self._leave("process", os.getpid())

    def map(self, value: Any) -> Any:
        if self._is_first:
            self._is_first = False
            self._leave("first", monotonic())  # the same clock in every process of a machine
        return value

    def _leave(self, what: str, number: float) -> None:
        path = Path(self._folder, f"{what}-{self._name}")
        path.with_suffix(".part").write_text(str(number))
        path.with_suffix(".part").rename(path)


def killed(keys: int) -> Callable[[], dict[str, Any]]:
    """The state is in dictionaries."""
    return _job(keys, {"state.backend.type": "hashmap"})


def _job(keys: int, options: dict[str, str]) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.discard.sink import DiscardingSink

    env = environment(WORKERS)
    folder = TemporaryDirectory()
    given = {
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "1",
        "restart-strategy.fixed-delay.delay": "1 ms",
        "execution.checkpointing.dir": f"file://{folder.name}/checkpoints",
        **options,
    }
    for key, value in given.items():
        env.get_configuration().set_string(key, value)
    env.enable_checkpointing(1000)
    pairs = env.from_sequence(0, 10**12).map(lambda number: (number * SPREAD % keys, 1))
    counts = pairs.key_by(lambda pair: pair[0]).sum(1).name("counts")
    counts.map(Watched(folder.name)).sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        with folder:
            client = env.execute_async()
            restored_mib = _wait_for_all_keys(client)
            victim = int(_wait_for(folder.name, "process-0-0"))
            killed_at = monotonic()
            os.kill(victim, signal.SIGKILL)
            again = max(float(_wait_for(folder.name, f"first-{index}-1")) for index in range(WORKERS))
            client.cancel().result(LONGEST_S)
        return {"again_s": again - killed_at, "checkpoint_mib": restored_mib}

    return work


def _wait_for_all_keys(client: Any) -> float:
    """Until two checkpoints after another have the same size, but for a hundredth; how large it is."""
    deadline = monotonic() + LONGEST_S
    while monotonic() < deadline:
        sizes = [one.state_bytes for one in client.get_checkpoints() if one.state_bytes is not None]
        if len(sizes) > 1 and sizes[-1] < sizes[-2] * 1.01:
            return float(sizes[-1] / (1 << 20))
        sleep(POLL_S)
    raise TimeoutError(f"not all keys were counted within {LONGEST_S} s")


def _wait_for(folder: str, name: str) -> str:
    deadline = monotonic() + LONGEST_S
    while monotonic() < deadline:
        if Path(folder, name).exists():
            return Path(folder, name).read_text()
        sleep(POLL_S)
    raise TimeoutError(f"{name} did not come within {LONGEST_S} s")
