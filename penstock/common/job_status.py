"""The states of a job."""

from penstock.dataflow.submission import JobStatus

__all__ = ["JobStatus"]
