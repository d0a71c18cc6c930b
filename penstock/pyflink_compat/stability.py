"""The names of ``pyflink.util.api_stability_decorators``: marks that say how much a class or function may still change."""

import inspect
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])


class BaseAPIStabilityDecorator(ABC):
    """A mark. It adds a note to the documentation and changes nothing else.

    The marks of a class or function are the set in its attribute ``__stability_decorators``, as in PyFlink.
    """

    @abstractmethod
    def get_directive(self, func_or_cls: Any) -> str:
        """The note, as a directive of Sphinx."""

    def __call__(self, func_or_cls: T) -> T:
        """Mark a function, or a class with its public functions and properties."""
        directive = self.get_directive(func_or_cls)
        _add_note(func_or_cls, directive)
        marks = vars(func_or_cls).get("__stability_decorators", set())
        setattr(func_or_cls, "__stability_decorators", {*marks, type(self)})
        if inspect.isclass(func_or_cls):
            for name, member in vars(func_or_cls).items():
                if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                    _add_note(member, directive)
        return func_or_cls


def _add_note(described: Any, directive: str) -> None:
    text = inspect.cleandoc(described.__doc__ or "")
    if directive not in text:
        described.__doc__ = f"{text}\n\n{directive}\n"


def _kind(func_or_cls: Any) -> str:
    if inspect.isclass(func_or_cls):
        return "class"
    return "function" if inspect.isfunction(func_or_cls) else "API"


class Deprecated(BaseAPIStabilityDecorator):
    """Goes away; the one who marks it is warned at once, as in PyFlink.

    >>> warnings.simplefilter("ignore")
    >>> @Deprecated(since="1.2", detail="Use other.")
    ... def some():
    ...     '''Does something.'''
    >>> print(some.__doc__.strip())
    Does something.
    <BLANKLINE>
    .. deprecated:: 1.2
       Use other.
    """

    def __init__(self, since: str, detail: str | None = None) -> None:
        self.since = since
        self.detail = detail

    def get_directive(self, func_or_cls: Any) -> str:
        detail = inspect.cleandoc(self.detail) if self.detail else ""
        lines = [f".. deprecated:: {self.since}", *(f"   {line}" for line in detail.splitlines())]
        return "\n".join(lines)

    def __call__(self, func_or_cls: T) -> T:
        """Mark it and warn."""
        said = f"{func_or_cls.__qualname__} has been deprecated since version {self.since}."
        text = f"{said} {self.detail}" if self.detail is not None else said
        warnings.warn(text, category=DeprecationWarning, stacklevel=2)
        return super().__call__(func_or_cls)


class Experimental(BaseAPIStabilityDecorator):
    """Is tried out, and may change or go."""

    def get_directive(self, func_or_cls: Any) -> str:
        return f".. warning:: This *{_kind(func_or_cls)}* is **experimental**: it may change or go in later versions."


class Internal(BaseAPIStabilityDecorator):
    """Is for developers of the package."""

    def get_directive(self, func_or_cls: Any) -> str:
        return (
            f".. caution:: This *{_kind(func_or_cls)}* is **internal**: it is for developers of the package."
        )


class PublicEvolving(BaseAPIStabilityDecorator):
    """Is for everyone; what it does stays, its signature may change."""

    def get_directive(self, func_or_cls: Any) -> str:
        return f".. note:: This *{_kind(func_or_cls)}* is **evolving**: its signature may change in later versions."


class Public(BaseAPIStabilityDecorator):
    """Is for everyone, and stays as it is until the next major version."""

    def get_directive(self, func_or_cls: Any) -> str:
        return f".. note:: This *{_kind(func_or_cls)}* is **public**: it stays until the next major version."


__all__ = ["BaseAPIStabilityDecorator", "Deprecated", "Experimental", "Internal", "Public", "PublicEvolving"]
