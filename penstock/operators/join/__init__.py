"""Joins of two keyed streams: of records that are near in time, and of records in the same window."""
