"""The errors of ``py4j.protocol``, which PyFlink programs catch: every ``PenstockError`` answers to them."""

from penstock.errors import PenstockError

Py4JError = PenstockError
"""What went wrong at the gateway to Java. There is none: every failure that penstock raises is one."""

Py4JJavaError = PenstockError
"""What went wrong in Java, such as a job that failed. Every failure that penstock raises is one."""


class Py4JNetworkError(PenstockError):
    """The connection to Java broke: never raised, as there is none."""


__all__ = ["Py4JError", "Py4JJavaError", "Py4JNetworkError"]
