"""The result of a job."""

from penstock.dataflow.submission import JobExecutionResult

__all__ = ["JobExecutionResult"]
