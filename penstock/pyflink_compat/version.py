"""Which PyFlink the names follow."""

__version__ = "2.3.0"

__all__ = ["__version__"]
