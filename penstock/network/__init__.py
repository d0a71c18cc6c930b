"""Channels between subtasks: in one process, between processes, and spilled to disk."""
