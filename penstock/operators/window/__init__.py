"""Windows on keyed streams: one operator for every program, and a faster one for the usual windows of event time."""
