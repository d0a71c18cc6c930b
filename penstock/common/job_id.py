"""The identity of a job."""

from penstock.ids import JobID

__all__ = ["JobID"]
