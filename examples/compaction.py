"""Compaction: a file sink that begins a new file often puts the small files together before anybody sees them.

Run it with ``python examples/compaction.py``. It prints::

    without compaction: 25 files, 1000 lines
    with compaction:    1 file, 1000 lines
"""

import tempfile
from pathlib import Path

from penstock.common import Encoder
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import (
    BucketAssigner,
    FileCompactor,
    FileCompactStrategy,
    FileSink,
    RollingPolicy,
)

LINES = 1_000


def written(compacts: bool) -> str:
    """Write numbers in files of some 200 bytes, and say how many files there are."""
    env = StreamExecutionEnvironment.get_execution_environment()
    with tempfile.TemporaryDirectory() as folder:
        builder = (
            FileSink.for_row_format(folder, Encoder.simple_string_encoder())
            .with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
            .with_rolling_policy(RollingPolicy.default_rolling_policy(part_size=200))
        )
        if compacts:
            # Put together what is there when it is 10 kB, or at the next checkpoint but four; and at the end, in any case.
            often_enough = (
                FileCompactStrategy.builder()
                .set_size_threshold(10_000)
                .enable_compaction_on_checkpoint(5)
                .build()
            )
            builder = builder.enable_compact(often_enough, FileCompactor.concat_file_compactor())
        env.from_sequence(1, LINES).map(lambda number: f"{number:04}").sink_to(builder.build())
        env.execute("numbers")
        files = list(Path(folder).glob("*"))
        lines = sum(len(file.read_text().splitlines()) for file in files)
        return f"{len(files)} file{'s' * (len(files) > 1)}, {lines} lines"


def main() -> None:
    """Both ways."""
    print(f"without compaction: {written(compacts=False)}")
    print(f"with compaction:    {written(compacts=True)}")


if __name__ == "__main__":
    main()
