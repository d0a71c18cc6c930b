"""Lines that a file sink writes, and how it names their files."""

import re
import tempfile
from pathlib import Path

from pyflink.common import Types
from pyflink.common.serialization import Encoder
from pyflink.datastream.connectors.file_system import BucketAssigner, FileSink, OutputFileConfig

SINK = "returned"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        names = OutputFileConfig.builder().with_part_prefix("words").with_part_suffix(".txt").build()
        sink = (
            FileSink.for_row_format(folder, Encoder.simple_string_encoder())
            .with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
            .with_output_file_config(names)
            .build()
        )
        env.from_collection(["a", "", "ü"], Types.STRING()).sink_to(sink)
        env.execute()
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return [(re.sub(UUID, "ID", path.name), path.read_text()) for path in files]
