"""Options and how to make them."""

from penstock.config.option import ConfigOption, ConfigOptions

__all__ = ["ConfigOption", "ConfigOptions"]
