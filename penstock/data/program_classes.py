"""The classes of the user's main program, by name, in processes that do not run it.

A worker builds the functions of a job from what was shipped, and the classes that they use with them. State that was saved
earlier names such classes, or brings them along as they were; what counts is the class that the program has now.
"""

import io
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import Any

_MAKERS = ("_make_skeleton_class", "_make_skeleton_enum")
_CLOUDPICKLE = "cloudpickle.cloudpickle"

# By module and qualified name. Filled once, as a worker process serves one program.
_shipped: dict[tuple[str, str], type] = {}


def learn_shipped_classes() -> None:
    """Remember the classes that came with the functions of a job; called before any state is read in this process."""
    module = sys.modules.get(_CLOUDPICKLE)
    if module is None:
        return
    for kind in list(module._DYNAMIC_CLASS_TRACKER_BY_ID.values()):
        _shipped.setdefault((kind.__module__, kind.__qualname__), kind)


def find_program_class(module: str, qualified_name: str) -> type | None:
    """The class of this name that the program has, whether it was shipped or can be found in its module.

    >>> find_program_class("collections", "OrderedDict").__name__, find_program_class("collections", "Nothing")
    ('OrderedDict', None)
    """
    shipped = _shipped.get((module, qualified_name))
    if shipped is not None:
        return shipped
    found: Any = sys.modules.get(module)
    for name in qualified_name.split("."):
        found = getattr(found, name, None)
    return found if isinstance(found, type) else _shipped_inside(module, qualified_name)


def _shipped_inside(module: str, qualified_name: str) -> type | None:
    """A shipped class of another class or of a function: on the way it keeps the last part of its name alone."""
    last = qualified_name.rpartition(".")[2]
    found = [
        kind for (of, name), kind in _shipped.items() if of == module and name.rpartition(".")[2] == last
    ]
    return found[0] if len(found) == 1 else None


def load_with_program_classes(data: bytes) -> Any:
    """Read a pickle; the program's own classes stand where it names them, or brings earlier versions of them along."""
    if b"__main__" in data or b"cloudpickle" in data:
        return _Unpickler(io.BytesIO(data)).load()
    return pickle.loads(data)  # state that this program wrote itself


def load_with_stand_ins(data: bytes, stand_ins: Mapping[type, type]) -> Any:
    """The same; for some classes others make the values."""
    return _Unpickler(io.BytesIO(data), stand_ins).load()


class _Unpickler(pickle.Unpickler):
    """Classes that cloudpickle shipped by value are made of a skeleton first, and filled then: for the program's own there
    is nothing to be filled.
    """

    def __init__(self, file: io.BytesIO, stand_ins: Mapping[type, type] | None = None) -> None:
        super().__init__(file)
        self._own: list[type] = []
        self._stand_ins = stand_ins or {}

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        found = self._find(module_name, global_name)
        if found is class_of_program:
            return lambda module, name: self._standing_in(class_of_program(module, name))
        return self._standing_in(found)

    def _standing_in(self, found: Any) -> Any:
        return self._stand_ins.get(found, found) if isinstance(found, type) else found

    def _find(self, module_name: str, global_name: str) -> Any:
        if module_name == _CLOUDPICKLE:
            make = super().find_class(module_name, global_name)
            if global_name in _MAKERS:
                return lambda *arguments: self._make(make, arguments)
            if global_name == "_class_setstate":
                return lambda kind, state: kind if kind in self._own else make(kind, state)
            return make
        found = _shipped.get((module_name, global_name))
        if found is None and module_name == "__main__":
            found = find_program_class(module_name, global_name)
        return super().find_class(module_name, global_name) if found is None else found

    def _make(self, make: Any, arguments: tuple[Any, ...]) -> Any:
        if isinstance(arguments[3], dict) and "__module__" in arguments[3]:
            module, name = arguments[3]["__module__"], arguments[1]
        elif make.__name__ == "_make_skeleton_enum":
            module, name = arguments[4], arguments[2]
        else:
            return make(*arguments)
        found = find_program_class(module, name)
        if found is None:
            return make(*arguments)
        found = self._standing_in(found)
        self._own.append(found)
        return found


def dump_with_names(value: Any, reducers: Mapping[type, Callable[[Any], Any]] | None = None) -> bytes:
    """Pickle a value that this process, or another one of the same program, will read: shipped classes by name alone.

    ``reducers`` take objects apart, by their class. Raises what pickling the value raises.
    """
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, 5)
    if reducers is not None:
        pickler.dispatch_table = reducers
    pickler.dump(value)
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type) and _shipped.get((obj.__module__, obj.__qualname__)) is obj:
            return class_of_program, (obj.__module__, obj.__qualname__)
        return NotImplemented


def class_of_program(module: str, qualified_name: str) -> type:
    """What stands in a pickle for a class of the program; raises ``AttributeError`` when the program has none."""
    found = find_program_class(module, qualified_name)
    if found is None:
        raise AttributeError(f"the program has no class {qualified_name} in {module}")
    return found
