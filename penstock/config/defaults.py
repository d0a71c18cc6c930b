"""What environments start with: options from outside the program, such as those of a command line.

They are for a whole process, like the command line itself, and a program's own settings win over them.
"""

from penstock.config.configuration import Configuration

_defaults: Configuration | None = None


def default_configuration() -> Configuration:
    """A configuration of its own for a new environment, with everything that was set from outside.

    >>> default_configuration().key_set()
    set()
    """
    return Configuration(_defaults)


def set_default_configuration(configuration: Configuration | None) -> None:
    """Let environments made from now on start with these options; with None they start empty.

    >>> set_default_configuration(Configuration().set_integer("parallelism.default", 4))
    >>> default_configuration().get("parallelism.default")
    4
    >>> set_default_configuration(None)
    """
    global _defaults
    _defaults = None if configuration is None else Configuration(configuration)
