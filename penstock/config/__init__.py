"""Options: what can be set, where values are kept, and how their texts are read."""

from penstock.config.configuration import Configuration
from penstock.config.option import ConfigOption, ConfigOptions

__all__ = ["ConfigOption", "ConfigOptions", "Configuration"]
