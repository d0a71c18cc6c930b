"""What a file sink writes of values of declared types."""

import datetime
import tempfile
from decimal import Decimal
from pathlib import Path

from pyflink.common import Row, Types
from pyflink.common.serialization import Encoder
from pyflink.datastream.connectors.file_system import FileSink

SINK = "returned"


def program(env):
    at = datetime.datetime(2024, 2, 29, 1, 2, 3, 450_000)
    cases = [
        (Types.INT(), 5),
        (Types.DOUBLE(), 1e10),
        (Types.FLOAT(), 0.1),
        (Types.BOOLEAN(), True),
        (Types.BIG_DEC(), Decimal("1.50")),
        (Types.SQL_DATE(), at.date()),
        (Types.SQL_TIMESTAMP(), at),
        (Types.TUPLE([Types.INT(), Types.STRING()]), (1, "a")),
        (Types.ROW_NAMED(["n", "s"], [Types.INT(), Types.STRING()]), Row(n=1, s=None)),
        (Types.LIST(Types.INT()), [1, 2]),
        (Types.MAP(Types.STRING(), Types.INT()), {"k": 1}),
    ]
    found = []
    for kind, value in cases:
        with tempfile.TemporaryDirectory() as folder:
            sink = FileSink.for_row_format(folder, Encoder.simple_string_encoder()).build()
            env.from_collection([value]).map(lambda value: value, kind).sink_to(sink)
            env.execute()
            (path,) = [path for path in Path(folder).rglob("*") if path.is_file()]
            found.append((str(kind), path.read_text()))
    return found
