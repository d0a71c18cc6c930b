"""Small files that are put together before they become visible."""

import re
import tempfile
from pathlib import Path

from pyflink.common import Types
from pyflink.common.serialization import Encoder
from pyflink.datastream.connectors.file_system import (
    BucketAssigner,
    FileCompactor,
    FileCompactStrategy,
    FileSink,
    RollingPolicy,
)

SINK = "returned"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        strategy = FileCompactStrategy.builder().enable_compaction_on_checkpoint(3).build()
        sink = (
            FileSink.for_row_format(folder, Encoder.simple_string_encoder())
            .with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
            .with_rolling_policy(RollingPolicy.default_rolling_policy(part_size=5))
            .enable_compact(strategy, FileCompactor.concat_file_compactor(b"--\n"))
            .build()
        )
        env.from_collection([f"line {n}" for n in range(3)], Types.STRING()).sink_to(sink).uid("sink")
        env.execute()
        files = [path for path in Path(folder).iterdir() if path.is_file()]
        return [(re.sub(UUID, "ID", path.name), path.read_text()) for path in files]
