"""A sink of your own: rows go to an SQLite database in batches; each subtask has its own writer.

Run it with ``python examples/own_sink.py``. It prints::

    ('ann', 3)
    ('bob', 1)
"""

import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors import Sink, SinkWriter

ROWS_PER_INSERT = 100


class SqliteSink(Sink):
    """What travels to the worker: how to make a writer, not the connection itself."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def create_writer(self, context: Any) -> SinkWriter:
        """Called in the subtask."""
        return SqliteWriter(self.file)


class SqliteWriter(SinkWriter):
    """Collects rows and inserts many at once."""

    def __init__(self, file: Path) -> None:
        self.connection = sqlite3.connect(file)
        self.rows: list[Any] = []

    def write(self, element: Any, context: Any) -> None:
        """Called for each record."""
        self.rows.append(element)
        if len(self.rows) == ROWS_PER_INSERT:
            self.flush(end_of_input=False)

    def flush(self, end_of_input: bool) -> None:
        """Called before each checkpoint and at the end: nothing may be left in memory after it."""
        with self.connection:
            self.connection.executemany("INSERT OR REPLACE INTO visits VALUES (?, ?)", self.rows)
        self.rows.clear()

    def close(self) -> None:
        """Called at the end, also after a failure."""
        self.connection.close()


def main() -> None:
    """Count visits into a table, and read the table."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "visits.db"
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE visits (name TEXT PRIMARY KEY, count INTEGER)")
        env = StreamExecutionEnvironment.get_execution_environment()
        visits = env.from_collection([("ann", 1), ("bob", 1), ("ann", 1), ("ann", 1)])
        visits.key_by(lambda visit: visit[0]).sum(1).sink_to(SqliteSink(file))
        env.execute("visits")
        for row in connection.execute("SELECT * FROM visits ORDER BY name"):
            print(row)
        connection.close()


if __name__ == "__main__":
    main()
