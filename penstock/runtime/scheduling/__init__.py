"""Where subtasks run, and the port through which a carrier gives workers."""
