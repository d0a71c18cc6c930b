"""The carrier of one machine: the own process, and worker processes."""
