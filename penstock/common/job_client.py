"""A job that runs in the background."""

from penstock.datastream.job_client import JobClient

__all__ = ["JobClient"]
