"""Pickles of state whose classes may have other fields when they are read again.

Whoever writes them notes which dataclasses and named tuples are in them, and with which fields; that is kept beside the
pickles. Whoever reads them has the fields that came since filled with their defaults, and those that went dropped, as it is
with values in columns.
"""

import copyreg
import io
import pickle
from collections.abc import Callable, Iterable
from operator import methodcaller
from typing import Any

from penstock.data import code_pickle
from penstock.data.pickles import cannot_be_read, load
from penstock.data.program_classes import dump_with_names, load_with_stand_ins
from penstock.data.saved_classes import (
    NAMED_TUPLE,
    Reference,
    fields_now,
    find_class_now,
    makers_of_new,
    outline_of,
)
from penstock.errors import StateError

_reduce = methodcaller("__reduce_ex__", 5)
_BUILT_IN = frozenset((tuple, list, dict, set, bool, type(None), int, float, str, bytes))
_CLASS_BY_NAME = pickle.STACK_GLOBAL


class NotingPickles:
    """Pickles values, and notes the classes in them. Any thread may call it.

    >>> from typing import NamedTuple
    >>> pickles = NotingPickles()
    >>> SavedPickles(pickles.classes).load(pickles.dump([1]), "a list"), pickles.classes
    ([1], [])
    """

    __slots__ = ("_free", "_reducers", "classes")

    def __init__(self, classes: Iterable[Reference] = ()) -> None:
        """``classes``: those in pickles that are kept beside the ones that are made here."""
        self.classes = list(classes)
        self._reducers = NotingReducers(self.classes)
        self._free: list[tuple[io.BytesIO, pickle.Pickler]] = []

    def dump(self, value: Any) -> bytes:
        """See :func:`penstock.data.pickles.dump`."""
        try:
            return self._by_name(value)
        except Exception as error:  # noqa: BLE001  (whatever a class raises while it is pickled)
            try:
                return code_pickle.dumps(value, self._reducers)
            except Exception:  # noqa: BLE001  (the first error says more)
                raise error from None

    def dump_for_this_program(self, value: Any) -> bytes:
        """See :func:`penstock.data.pickles.dump_for_this_program`."""
        try:
            return self._by_name(value)
        except Exception:  # noqa: BLE001  (whatever a class raises while it is pickled)
            try:
                return dump_with_names(value, self._reducers)
            except Exception:  # noqa: BLE001  (as above)
                return self.dump(value)

    def _by_name(self, value: Any) -> bytes:
        if value.__class__ in _BUILT_IN:
            data = pickle.dumps(value, 5)
            if _CLASS_BY_NAME not in data:
                return data
        # Making both anew for each value would cost as much as pickling it.
        try:
            buffer, pickler = self._free.pop()
        except IndexError:
            buffer = io.BytesIO()
            pickler = pickle.Pickler(buffer, 5)
            pickler.dispatch_table = self._reducers
        pickler.dump(value)
        data = buffer.getvalue()
        pickler.clear_memo()
        buffer.seek(0)
        buffer.truncate()
        self._free.append((buffer, pickler))
        return data


class NotingReducers(dict[type, Callable[[Any], Any]]):
    """How objects are taken apart, by class: as always. A pickler looks each one up here, and the first time it is noted, in
    the list that is given."""

    def __init__(self, classes: list[Reference]) -> None:
        super().__init__()
        self._classes = classes

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        if issubclass(kind, type):
            raise KeyError(kind)  # a class is written by its name
        outline = outline_of(kind)
        if outline is not None and outline not in self._classes:
            self._classes.append(outline)
        found: Callable[[Any], Any] = copyreg.dispatch_table.get(kind, _reduce)
        self[kind] = found
        return found


class SavedPickles:
    """Reads pickles, given the classes that were noted when they were made."""

    __slots__ = ("_classes", "_stand_ins")

    def __init__(self, classes: Iterable[Reference] = ()) -> None:
        self._classes = tuple(classes)
        self._stand_ins: dict[type, type] | None = None

    def load(self, data: bytes, what: str) -> Any:
        """See :func:`penstock.data.pickles.load`. Raises ``StateError`` for a field that came and has no default, too."""
        if not self._classes:
            return load(data, what)
        if self._stand_ins is None:
            self._stand_ins = stand_ins_for(self._classes)
        if not self._stand_ins:
            return load(data, what)
        try:
            return load_with_stand_ins(data, self._stand_ins)
        except StateError:
            raise
        except Exception as error:
            raise cannot_be_read(what, error) from error

    @property
    def have_changed(self) -> bool:
        """Whether a class has other fields now, or cannot be had."""
        try:
            for reference in self._classes:
                find_class_now(reference)
            return bool(stand_ins_for(self._classes))
        except StateError:
            return True


def stand_ins_for(classes: Iterable[Reference]) -> dict[type, type]:
    """For each class that has other fields now, what is to make its values out of pickles.

    Raises ``StateError`` for a field that came and has no default.
    """
    made = {}
    for reference in classes:
        try:
            kind = find_class_now(reference)
        except StateError:
            continue  # reading a value that has it says which one
        now = None if kind is None else fields_now(kind, reference["as"])
        if now is None or list(now) == reference["names"]:
            continue
        makers = makers_of_new(reference, now)
        stand_in = _tuple_stand_in if reference["as"] == NAMED_TUPLE else _dataclass_stand_in
        made[kind] = stand_in(kind, reference, list(now), makers)
    return made


def _tuple_stand_in(
    kind: Any, reference: Reference, names: list[str], makers: dict[str, Callable[[], Any]]
) -> type:
    before = reference["names"]

    def new(_: type, *arguments: Any) -> Any:
        saved = dict(zip(before, arguments, strict=True))
        return tuple.__new__(kind, [saved[name] if name in saved else makers[name]() for name in names])

    return _made(kind, tuple, {"__new__": new})


def _dataclass_stand_in(
    kind: Any, reference: Reference, names: list[str], makers: dict[str, Callable[[], Any]]
) -> type:
    before = reference["names"]
    went = [name for name in before if name not in names]

    def fill(value: Any, state: Any) -> None:
        """What a pickle has of one value: a dictionary, one with those of slots, or the fields in their order."""
        if isinstance(state, list):
            saved = dict(zip(before, state, strict=True))
        elif isinstance(state, tuple):
            saved = {**(state[0] or {}), **(state[1] or {})}
        else:
            saved = dict(state or {})
        for name in went:
            saved.pop(name, None)
        object.__setattr__(value, "__class__", kind)
        for name, make in makers.items():
            object.__setattr__(value, name, make())
        for name, part in saved.items():
            object.__setattr__(value, name, part)

    def new(stand_in: Any) -> Any:
        value = object.__new__(stand_in)
        if not before:
            fill(value, None)  # a pickle says nothing more of a value without fields
        return value

    return _made(kind, kind, {"__new__": new, "__setstate__": fill})


class _Unnoticed:
    """Keeps a class from being told of a subclass."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        pass


def _made(kind: Any, base: type, namespace: dict[str, Any]) -> type:
    """A class that makes values of ``kind`` out of a pickle; where it is called, as by a ``defaultdict``, it is ``kind``."""

    def call(_: type, *arguments: Any, **named: Any) -> Any:
        return kind(*arguments, **named)

    def mro(made: type) -> list[type]:
        return [made, _Unnoticed, *base.__mro__]

    meta = type.__new__(type, "StandIn", (type(kind),), {"__call__": call, "mro": mro})
    made: type = type.__new__(meta, kind.__name__, (base,), {"__slots__": (), **namespace})
    return made
