"""ORC."""

from penstock.formats.orc import OrcColumnarRowInputFormat

__all__ = [
    "OrcColumnarRowInputFormat",
]
