"""Keys and values."""

from penstock.config.configuration import Configuration

__all__ = ["Configuration"]
