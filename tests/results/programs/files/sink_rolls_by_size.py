"""A file sink begins the next file when the one before has grown beyond its size."""

import tempfile
from pathlib import Path

from pyflink.common import Types
from pyflink.common.serialization import Encoder
from pyflink.datastream.connectors.file_system import BucketAssigner, FileSink, RollingPolicy

SINK = "returned"


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        sink = (
            FileSink.for_row_format(folder, Encoder.simple_string_encoder())
            .with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
            .with_rolling_policy(RollingPolicy.default_rolling_policy(part_size=10))
            .with_bucket_check_interval(1000)
            .build()
        )
        env.from_collection([f"line {n}" for n in range(5)], Types.STRING()).sink_to(sink)
        env.execute()
        files = [path for path in Path(folder).iterdir() if path.is_file()]
        files.sort(key=lambda path: int(path.name.rpartition("-")[2]))
        return [path.read_text() for path in files]
