"""Levels by the names of Python and of log4j."""

import logging

from penstock.errors import OptionError

TRACE = 5
OFF = logging.CRITICAL + 10
_LEVELS = {
    "ALL": 1,
    "TRACE": TRACE,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
    "CRITICAL": logging.CRITICAL,
    "OFF": OFF,
}
_OF_LOG4J = {logging.WARNING: "WARN", logging.CRITICAL: "FATAL", TRACE: "TRACE"}


def level_of(name: str) -> int:
    """The number of a level.

    >>> level_of("warn"), level_of("FATAL")
    (30, 50)

    :raises OptionError: for a name that is none.
    """
    found = _LEVELS.get(name.strip().upper())
    if found is None:
        raise OptionError(f"there is no log level {name!r}; there are {', '.join(_LEVELS)}")
    return found


def log4j_name(level: int) -> str:
    """How log4j calls a level.

    >>> log4j_name(logging.WARNING), log4j_name(logging.INFO)
    ('WARN', 'INFO')
    """
    return _OF_LOG4J.get(level) or logging.getLevelName(level)
