"""What moves a timer."""

from penstock.contracts.context import TimeDomain

__all__ = ["TimeDomain"]
