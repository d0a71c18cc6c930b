"""Numbers written into a file, each in a line of its own."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def plain(rows: int) -> Callable[[], dict[str, Any]]:
    """A loop that writes, and makes the file durable, as the sink does."""

    def work() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "part"
            with path.open("w", encoding="utf-8") as file:
                for number in range(rows):
                    file.write(f"{number}\n")
                file.flush()
                os.fsync(file.fileno())
            return {"records": rows, "check": path.stat().st_size}

    return work


def penstock(rows: int) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.files.sink import FileSink
    from penstock.contracts.serialization import Encoder

    held = tempfile.TemporaryDirectory()
    env = environment(1)
    sink = FileSink.for_row_format(held.name, Encoder.simple_string_encoder()).build()
    env.from_sequence(0, rows - 1).sink_to(sink)

    def work() -> dict[str, Any]:
        with held as folder:
            env.execute()
            size_bytes = sum(path.stat().st_size for path in Path(folder).rglob("part-*"))
            return {"records": rows, "check": size_bytes}

    return work
