"""Times and timers, as functions see them."""

from penstock.contracts.context import TimerService

__all__ = ["TimerService"]
