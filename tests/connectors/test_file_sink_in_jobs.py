"""Files that whole jobs write which take checkpoints and fail."""

from pathlib import Path
from typing import Any

import pytest

from penstock.common import Configuration
from penstock.connectors.files.compaction import FileCompactor, FileCompactStrategy
from penstock.connectors.files.layout import RollingPolicy
from penstock.connectors.files.sink import FileSink
from penstock.connectors.files.source import FileSource
from penstock.contracts.serialization import Encoder
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.environment import StreamExecutionEnvironment
from penstock.formats.text import StreamFormat

LINES = 20_000
COMPACT = FileCompactStrategy.builder().enable_compaction_on_checkpoint(2).build()


class FailsTwice:
    """Fails at two places in the input, and leaves a file to know that it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, line: str) -> str:
        number = int(line)
        if number in (7_000, 15_000):
            mark = self.folder / f"failed-{number}"
            if not mark.exists():
                mark.touch()
                raise RuntimeError(f"on purpose at {number}")
        return line


def visible(folder: Path) -> list[int]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    return sorted(int(line) for path in files for line in path.read_text().split())


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("policy", "compacts"),
    [
        (RollingPolicy.default_rolling_policy(), False),
        (RollingPolicy.default_rolling_policy(part_size=10_000), True),
        (RollingPolicy.on_checkpoint_rolling_policy(), False),
    ],
)
def test_each_line_is_in_the_files_once_though_the_job_fails_twice(
    policy: RollingPolicy, compacts: bool, parallelism: int, tmp_path: Path
) -> None:
    source_file = tmp_path / "lines.txt"
    source_file.write_text("".join(f"{number}\n" for number in range(LINES)))
    settings: dict[str, Any] = {
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "5",
        "restart-strategy.fixed-delay.delay": "1 ms",
        "execution.checkpointing.interval": "10 ms",
        "execution.checkpointing.dir": str(tmp_path / "checkpoints"),
    }
    env = StreamExecutionEnvironment.get_execution_environment(Configuration.from_dict(settings))
    env.set_parallelism(parallelism)
    builder = FileSink.for_row_format(str(tmp_path / "out"), Encoder.simple_string_encoder())
    builder.with_rolling_policy(policy)
    if compacts:
        builder.enable_compact(COMPACT, FileCompactor.concat_file_compactor())
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(source_file)).build()
    lines = env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
    lines.map(FailsTwice(tmp_path)).sink_to(builder.build())
    env.execute()
    assert (tmp_path / "failed-7000").exists() and (tmp_path / "failed-15000").exists()
    assert visible(tmp_path / "out") == list(range(LINES))
    assert [path.name for path in (tmp_path / "out").rglob(".*")] == []
