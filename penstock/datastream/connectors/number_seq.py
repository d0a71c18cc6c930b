"""A source of numbers."""

from penstock.connectors.collection.source import NumberSequenceSource

__all__ = ["NumberSequenceSource"]
