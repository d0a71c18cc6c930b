"""Checkpoints and savepoints: the protocol as decisions, and what is written as records."""
