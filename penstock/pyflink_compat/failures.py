"""The names of ``pyflink.util.exceptions``. What fails here is a ``PenstockError``, which answers to ``JavaException``."""

from collections.abc import Callable
from typing import Any, TypeVar

from penstock.errors import PenstockError

JavaException = PenstockError
"""What ``except JavaException`` has to catch: every failure that penstock raises."""

F = TypeVar("F", bound=Callable[..., Any])


class TableException(JavaException):
    """Something about tables failed."""


class CatalogException(JavaException):
    """Something about a catalog failed."""


class DatabaseAlreadyExistException(JavaException):
    """A database has been made already."""


class DatabaseNotEmptyException(JavaException):
    """A database has tables still."""


class DatabaseNotExistException(JavaException):
    """There is no such database."""


class FunctionAlreadyExistException(JavaException):
    """A function has been registered already."""


class FunctionNotExistException(JavaException):
    """There is no such function."""


class ModelAlreadyExistException(JavaException):
    """A model has been registered already."""


class ModelNotExistException(JavaException):
    """There is no such model."""


class PartitionAlreadyExistsException(JavaException):
    """A partition has been made already."""


class PartitionNotExistException(JavaException):
    """There is no such partition."""


class PartitionSpecInvalidException(JavaException):
    """The description of a partition does not fit the keys that its table is partitioned by."""


class TableAlreadyExistException(JavaException):
    """A table or view has been made already."""


class TableNotExistException(JavaException):
    """There is no such table or view."""


class TableNotPartitionedException(JavaException):
    """A table has no partitions."""


def capture_java_exception(function: F) -> F:
    """The function itself: what it raises is a Python exception already.

    >>> capture_java_exception(len) is len
    True
    """
    return function


__all__ = [
    "CatalogException",
    "DatabaseAlreadyExistException",
    "DatabaseNotEmptyException",
    "DatabaseNotExistException",
    "FunctionAlreadyExistException",
    "FunctionNotExistException",
    "JavaException",
    "ModelAlreadyExistException",
    "ModelNotExistException",
    "PartitionAlreadyExistsException",
    "PartitionNotExistException",
    "PartitionSpecInvalidException",
    "TableAlreadyExistException",
    "TableException",
    "TableNotExistException",
    "TableNotPartitionedException",
    "capture_java_exception",
]
