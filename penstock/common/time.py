"""Lengths of time and points in time."""

from penstock.data.time import Duration, Instant, Time

__all__ = ["Duration", "Instant", "Time"]
