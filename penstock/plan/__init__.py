"""From what was written to what will run."""
