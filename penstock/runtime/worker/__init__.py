"""One worker: a process with one loop that steps its tasks."""
