"""A hybrid source: first the history from files, then what is new, as one stream.

Run it with ``python examples/hybrid_source.py``. It prints::

    old 1, old 2, new 3, new 4, new 5
"""

import tempfile
from pathlib import Path

from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSource, StreamFormat
from penstock.datastream.connectors.hybrid_source import HybridSource
from penstock.testing import ScriptedSource


def main() -> None:
    """Print the records of both sources."""
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder) / "history.txt"
        history.write_text("old 1\nold 2\n", "utf-8")
        files = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(history)).build()
        # In production this would be Kafka, say. Only the last source may be without an end.
        live = ScriptedSource(["new 3", "new 4", "new 5"])
        source = HybridSource.builder(files).add_source(live).build()
        env = StreamExecutionEnvironment.get_execution_environment()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "history and news")
        with stream.execute_and_collect() as records:
            print(", ".join(records))


if __name__ == "__main__":
    main()
