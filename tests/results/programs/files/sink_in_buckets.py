"""Directories of a file sink that are named by a pattern of dates with text in quotes."""

import tempfile
from pathlib import Path

from pyflink.common import Types
from pyflink.common.serialization import Encoder
from pyflink.datastream.connectors.file_system import BucketAssigner, FileSink

SINK = "returned"


def program(env):
    found = []
    for pattern in ("'kind=text/it''s'", "'y='yyyyMMdd'T'HHmm"):
        with tempfile.TemporaryDirectory() as folder:
            assigner = BucketAssigner.date_time_bucket_assigner(pattern, "UTC")
            sink = (
                FileSink.for_row_format(folder, Encoder.simple_string_encoder())
                .with_bucket_assigner(assigner)
                .build()
            )
            env.from_collection([1, 2], Types.INT()).sink_to(sink)
            env.execute()
            (path,) = [path for path in Path(folder).rglob("*") if path.is_file()]
            bucket = str(path.parent.relative_to(folder))
            shape = "".join("9" if letter.isdigit() else letter for letter in bucket)
            found.append((shape, path.read_text()))
    return found
