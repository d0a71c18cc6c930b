"""Classes that cannot be imported on the other side travel by value, once per connection.

A worker does not run the user's script, so what is defined in ``__main__``, in a notebook or inside a function cannot be
found there by name. cloudpickle ships such classes by value, but does it again in every pickle, and each unpickling sets the
attributes of the class anew. Here a pickle holds only the class's *token*, and the definition goes ahead of the first pickle
that needs it. The token is the identity that cloudpickle gives the class when it ships it inside a function, so that a value
from a channel and the functions of the job graph mean the same class object, and ``isinstance`` and dataclass equality hold.
"""

import io
import pickle
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from penstock.data import code_pickle
from penstock.errors import ProtocolError

# Token to class, and definitions that no value has needed yet. Strong references, as the tracker of cloudpickle is weak.
# Both grow with the number of distinct by-value classes that this process has exchanged.
_classes: dict[str, type] = {}
_definitions: dict[str, bytes] = {}


def refers_to_main(pickled: bytes) -> bool:
    """Whether a pickle that names its classes may name one that the other side cannot import by that name.

    A pickle writes the module of each class it refers to as a plain string, so one search through the bytes is enough. A
    value that merely contains the text is sent the slower way, which is correct for every value.

    >>> refers_to_main(pickle.dumps([1, 2])), refers_to_main(pickle.dumps("__main__"))
    (False, True)
    """
    if b"__main__" in pickled:
        return True
    return any(name.encode() in pickled for name in _registered_modules())


def dumps(value: object, announce: Callable[[str], object]) -> bytes:
    """Pickle ``value`` with tokens for classes by value.

    ``announce(token)`` is called for each class by value in the pickle, once per pickle; it decides whether the other side
    still needs :func:`definition_of` it. Raises whatever pickling the value raises.
    """
    buffer = io.BytesIO()
    _TokenPickler(buffer, announce).dump(value)
    return buffer.getvalue()


def learn(token: str, definition: bytes) -> None:
    """Keep the definition of a class until a value needs it; it is then unpickled, once."""
    if token not in _classes:
        _definitions[token] = definition


def class_by_token(token: str) -> type:
    """The class that a token in a pickle stands for."""
    known = _classes.get(token)
    if known is None:
        from cloudpickle import cloudpickle

        known = cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID.get(token)
        if known is None:
            definition = _definitions.get(token)
            if definition is None:
                raise ProtocolError(f"a value is of a class whose definition has not arrived (token {token})")
            known = pickle.loads(definition)
        _definitions.pop(token, None)
        _classes[token] = known
    return known


def _function_by_value(pickled: bytes) -> Any:
    return pickle.loads(pickled)


class _TokenPickler(pickle.Pickler):
    """pickle, except that a class or function that cannot be imported is replaced by its token or its code."""

    def __init__(self, buffer: io.BytesIO, announce: Callable[[str], object]) -> None:
        super().__init__(buffer, protocol=5)
        self._announce = announce

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, (type, FunctionType)) or _importable(obj):
            return NotImplemented
        if isinstance(obj, FunctionType):
            return _function_by_value, (code_pickle.dumps(obj),)
        import cloudpickle

        token: str = cloudpickle.cloudpickle._get_or_create_tracker_id(obj)
        _classes.setdefault(token, obj)
        self._announce(token)
        return class_by_token, (token,)


def definition_of(token: str) -> bytes:
    """The pickled class of a token that this process has made or learned."""
    return code_pickle.dumps(class_by_token(token))


def _importable(obj: type | FunctionType) -> bool:
    """Whether another process finds the same thing under its module and name."""
    module_name = obj.__module__
    if module_name == "builtins":
        return True
    if not module_name or module_name == "__main__" or _is_registered(module_name):
        return False
    found: Any = sys.modules.get(module_name)
    for name in obj.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is obj


def _is_registered(module_name: str) -> bool:
    registered = _registered_modules()
    return bool(registered) and any(
        module_name == name or module_name.startswith(name + ".") for name in registered
    )


def _registered_modules() -> set[str]:
    """Modules that the user told cloudpickle to ship by value; none while cloudpickle was never imported, or is being."""
    module = sys.modules.get("cloudpickle.cloudpickle")
    found: set[str] = getattr(module, "_PICKLE_BY_VALUE_MODULES", set())
    return found
