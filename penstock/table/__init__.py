"""The Table API: so far its types. Everything else of ``pyflink.table`` is in a later version."""

from penstock.data.data_types import DataTypes
from penstock.data.row import Row, RowKind

__all__ = ["DataTypes", "Row", "RowKind"]
