"""State backends behind the handles of ``contracts/state.py``: keyed and operator state, timers, time to live."""
