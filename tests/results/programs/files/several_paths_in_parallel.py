"""Several paths, read by two readers that share large files."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import (
    FileEnumeratorProvider,
    FileSource,
    FileSplitAssignerProvider,
    StreamFormat,
)

SINK = "returned"
PARALLELISM = 2


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("a.txt", "b.txt")]
        for path in paths:
            path.write_text("".join(f"{path.stem}{number}\n" for number in range(2_000)))
        source = (
            FileSource.for_record_stream_format(StreamFormat.text_line_format(), *map(str, paths))
            .process_static_file_set()
            .set_file_enumerator(FileEnumeratorProvider.default_splittable_file_enumerator())
            .set_split_assigner(FileSplitAssignerProvider.locality_aware_split_assigner())
            .build()
        )
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
        with stream.map(lambda line: (line[0], int(line[1:]))).execute_and_collect() as found:
            pairs = list(found)
        return [(letter, sum(n for name, n in pairs if name == letter)) for letter in "ab"] + [len(pairs)]
