"""Sources and sinks made of functions that the user writes."""
