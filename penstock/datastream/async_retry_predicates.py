"""Ready-made predicates for retry strategies; the names of ``pyflink.datastream.async_retry_predicates``."""

from typing import Any


def empty_result_predicate(result: list[Any] | None) -> bool:
    """Whether nothing came back.

    >>> empty_result_predicate([]), empty_result_predicate([None])
    (True, False)
    """
    return result is None or len(result) == 0


def has_exception_predicate(error: BaseException | None) -> bool:
    """Whether anything was raised.

    >>> has_exception_predicate(OSError("gone")), has_exception_predicate(None)
    (True, False)
    """
    return error is not None


def exception_type_predicate(error: BaseException | None, expected_error_type: type[BaseException]) -> bool:
    """Whether an exception is of a type; bind the type with ``functools.partial`` or a lambda.

    >>> exception_type_predicate(ConnectionResetError(), OSError)
    True
    """
    return isinstance(error, expected_error_type)
