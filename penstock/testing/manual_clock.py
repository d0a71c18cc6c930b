"""The clock that stands still until a test moves it, where tests look for it."""

from penstock.clock import ManualClock

__all__ = ["ManualClock"]
