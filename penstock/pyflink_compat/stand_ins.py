"""What stands for names of PyFlink that cannot work: they can be imported, and raise when they are used."""

from typing import Any, NoReturn

from penstock.errors import PenstockError


class NotInPenstock(PenstockError, ImportError):
    """A PyFlink name was imported or used that has no counterpart in this version of penstock."""


class _StandIn(type):
    """The type of stand-ins. They are classes, so that they can stand in annotations and ``isinstance``.

    Calling one, looking at a member or making a class of it raises; ``isinstance`` is False for everything.
    """

    _message: str

    def __call__(cls, *arguments: Any, **named: Any) -> NoReturn:
        raise NotInPenstock(cls._message)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotInPenstock(cls._message)

    def __getitem__(cls, parameters: Any) -> "_StandIn":
        return cls

    def __repr__(cls) -> str:
        return f"<{cls.__module__}.{cls.__qualname__}, which is not in penstock>"


def stand_in(module: str, name: str, reason: str) -> type:
    """What a program gets that imports a name of PyFlink which cannot work, and why it cannot.

    >>> get_gateway = stand_in("pyflink.java_gateway", "get_gateway", "there is no Java here")
    >>> get_gateway()
    Traceback (most recent call last):
        ...
    penstock.pyflink_compat.stand_ins.NotInPenstock: pyflink.java_gateway.get_gateway cannot be used: there is no Java here
    """
    message = f"{module}.{name} cannot be used: {reason}"

    def refuse(cls: Any, /, **named: Any) -> NoReturn:
        raise NotInPenstock(message)

    body = {"__module__": module, "_message": message, "__init_subclass__": classmethod(refuse)}
    return _StandIn(name, (), {**body, "__doc__": f"Not in penstock: {reason}."})
