"""Names that PyFlink had up to 1.20 and dropped in 2.x; they work on, and say what has taken their place."""

import warnings


def formerly(name: str, instead: str) -> None:
    """Warn, at the line that called the caller, that ``name`` is gone from PyFlink."""
    warnings.warn(f"{name} is gone from Flink since 2.0; use {instead}", DeprecationWarning, stacklevel=3)
