"""One subtask."""
