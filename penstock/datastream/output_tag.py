"""The names of side outputs."""

from penstock.contracts.output_tag import OutputTag

__all__ = ["OutputTag"]
