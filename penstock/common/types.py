"""Rows."""

from penstock.data.row import Row, RowKind

__all__ = ["Row", "RowKind"]
