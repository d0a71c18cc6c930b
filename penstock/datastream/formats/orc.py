"""ORC."""

from penstock.formats.column_writers import OrcBulkWriters
from penstock.formats.orc import OrcColumnarRowInputFormat

__all__ = [
    "OrcBulkWriters",
    "OrcColumnarRowInputFormat",
]
