"""Time to live: handles around the handles of any backend, that store ``(value, written at)`` in place of values.

State without a time to live never comes here. An entry is expired when ``written at + ttl <= now`` on the clock; lists and
maps expire element by element. The strategies of ``StateTtlConfig``: *full snapshot* leaves expired entries out of
snapshots; *incremental* looks at a few entries at each access (the default, 5), or for each record; RocksDB's
compaction filter is accepted, and concerns RocksDB alone. Source: Flink's documentation, "State Time-To-Live (TTL)".
"""

from collections.abc import Callable, Iterable, MutableMapping
from copy import deepcopy
from typing import Any

from penstock.clock import Clock
from penstock.contracts.state import (
    AggregatingState,
    AggregatingStateDescriptor,
    ListState,
    MapState,
    ReducingState,
    ReducingStateDescriptor,
    StateDescriptor,
    StateKind,
    StateTtlConfig,
    ValueState,
)
from penstock.errors import StateError

Stamped = tuple[Any, int]


class Lifetime:
    """The rules of one state: when something is expired, and what a read does."""

    __slots__ = (
        "_clock",
        "filters_snapshots",
        "kind",
        "on_access",
        "returns_expired",
        "ttl_ms",
        "updates_on_read",
    )

    def __init__(self, config: StateTtlConfig, kind: StateKind, clock: Clock) -> None:
        self._clock = clock
        self.kind = kind
        self.ttl_ms = config.get_ttl().to_milliseconds()
        self.updates_on_read = config.get_update_type() is StateTtlConfig.UpdateType.OnReadAndWrite
        visibility = StateTtlConfig.StateVisibility
        self.returns_expired = config.get_state_visibility() is visibility.ReturnExpiredIfNotCleanedUp
        self.filters_snapshots = config.get_cleanup_strategies().in_full_snapshot()
        self.on_access: Callable[[], None] = _nothing

    def now(self) -> int:
        """The clock's time."""
        return self._clock.now_ms()

    def deadline(self) -> int:
        """What was written then or earlier is expired."""
        return self._clock.now_ms() - self.ttl_ms

    def unexpired(self, stored: Any, deadline: int) -> Any:
        """What is left of a stored value; None for nothing, and the same object when nothing is expired."""
        match self.kind:
            case StateKind.LIST:
                kept = [element for element in stored if element[1] > deadline]
                return stored if len(kept) == len(stored) else kept or None
            case StateKind.MAP:
                pairs = {key: element for key, element in stored.items() if element[1] > deadline}
                return stored if len(pairs) == len(stored) else pairs or None
        return stored if stored[1] > deadline else None

    def stamp(self, stored: Any) -> Any:
        """A stored value of a state that had no time to live so far; it counts as written now."""
        now = self.now()
        match self.kind:
            case StateKind.LIST:
                return [(element, now) for element in stored]
            case StateKind.MAP:
                return {key: (element, now) for key, element in stored.items()}
        return (stored, now)


def unstamp(kind: StateKind, stored: Any) -> Any:
    """A stored value of a state that has lost its time to live."""
    match kind:
        case StateKind.LIST:
            return [element for element, _ in stored]
        case StateKind.MAP:
            return {key: element for key, (element, _) in stored.items()}
    return stored[0]


def _nothing() -> None:
    pass


class Sweep:
    """Incremental cleanup: goes round all entries of a state, a few at a time.

    ``panes`` gives the dictionaries there are. A round takes a list of the keys of one dictionary at a time, so entries
    may come and go meanwhile.
    """

    __slots__ = ("_keys", "_lifetime", "_pane", "_panes", "_todo", "every_record", "size")

    def __init__(
        self,
        lifetime: Lifetime,
        panes: Callable[[], list[MutableMapping[Any, Any]]],
        size: int,
        every_record: bool,
    ) -> None:
        self._lifetime = lifetime
        self._panes = panes
        self._todo: list[MutableMapping[Any, Any]] = []
        self._pane: MutableMapping[Any, Any] = {}
        self._keys: list[Any] = []
        self.size = size
        self.every_record = every_record

    def step(self, count: int | None = None) -> None:
        """Look at ``count`` entries (``size`` when not given), or at fewer when a round is over before."""
        left = self.size if count is None else count
        deadline = self._lifetime.deadline()
        while left > 0:
            if not self._keys and not self._next_pane():
                return
            left -= 1
            key = self._keys.pop()
            stored = self._pane.get(key)
            if stored is None:
                continue
            kept = self._lifetime.unexpired(stored, deadline)
            if kept is None:
                del self._pane[key]
            elif kept is not stored:
                self._pane[key] = kept

    def start_over(self) -> None:
        """Begin another round: the dictionaries seen so far are not to be written to any more."""
        self._todo, self._pane, self._keys = [], {}, []

    def access(self) -> None:
        """One step, as a plain callable."""
        self.step()

    def _next_pane(self) -> bool:
        """Go on to the next dictionary with entries; False when a round has come to its end."""
        while self._todo:
            self._pane = self._todo.pop()
            if self._pane:
                self._keys = list(self._pane)
                return True
        self._todo = self._panes()
        return False


def with_ttl(descriptor: StateDescriptor, inner: Any, lifetime: Lifetime) -> Any:
    """The handle of a state with a time to live; ``inner`` is a list or map handle, or else a value handle."""
    match descriptor.kind:
        case StateKind.VALUE:
            return TtlValue(inner, lifetime, getattr(descriptor, "default_value", None))
        case StateKind.LIST:
            return TtlList(inner, lifetime)
        case StateKind.MAP:
            return TtlMap(inner, lifetime)
    if isinstance(descriptor, ReducingStateDescriptor):
        return TtlReducing(inner, lifetime, descriptor.reduce)
    if isinstance(descriptor, AggregatingStateDescriptor):
        return TtlAggregating(inner, lifetime, descriptor.get_agg_function())
    raise StateError(f"{descriptor!r} describes no kind of state that is known")


class _Single:
    """What is common to the kinds that store one value per key."""

    __slots__ = ("_inner", "_lifetime")

    def __init__(self, inner: ValueState[Stamped], lifetime: Lifetime) -> None:
        self._inner = inner
        self._lifetime = lifetime

    def _read(self) -> Any:
        """The value as a reader sees it; None when there is none. An expired one is removed even where it is still shown."""
        lifetime = self._lifetime
        lifetime.on_access()
        stored = self._inner.value()
        if stored is None:
            return None
        value, written = stored
        now = lifetime.now()
        if written + lifetime.ttl_ms <= now:
            self._inner.clear()
            return value if lifetime.returns_expired else None
        if lifetime.updates_on_read:
            self._inner.update((value, now))
        return value

    def _read_to_change(self) -> Any:
        """The value that something is going to be added to."""
        lifetime = self._lifetime
        lifetime.on_access()
        stored = self._inner.value()
        if stored is None or (stored[1] <= lifetime.deadline() and not lifetime.returns_expired):
            return None
        return stored[0]

    def _write(self, value: Any) -> None:
        self._inner.update(None if value is None else (value, self._lifetime.now()))

    def clear(self) -> None:
        self._lifetime.on_access()
        self._inner.clear()


class TtlValue(_Single, ValueState[Any]):
    """A value that expires."""

    __slots__ = ("_default",)

    def __init__(self, inner: ValueState[Stamped], lifetime: Lifetime, default: Any = None) -> None:
        super().__init__(inner, lifetime)
        self._default = default

    def value(self) -> Any:
        value = self._read()
        return deepcopy(self._default) if value is None else value

    def update(self, value: Any) -> None:
        self._lifetime.on_access()
        self._write(value)


class TtlReducing(_Single, ReducingState[Any]):
    """A reduced value that expires; what is added after that starts afresh."""

    __slots__ = ("_reduce",)

    def __init__(
        self, inner: ValueState[Stamped], lifetime: Lifetime, reduce: Callable[[Any, Any], Any]
    ) -> None:
        super().__init__(inner, lifetime)
        self._reduce = reduce

    def get(self) -> Any:
        return self._read()

    def add(self, value: Any) -> None:
        if value is None:
            self.clear()
            return
        stored = self._read_to_change()
        self._write(value if stored is None else self._reduce(stored, value))


class TtlAggregating(_Single, AggregatingState[Any, Any]):
    """An accumulator that expires; what is added after that starts afresh."""

    __slots__ = ("_function",)

    def __init__(self, inner: ValueState[Stamped], lifetime: Lifetime, function: Any) -> None:
        super().__init__(inner, lifetime)
        self._function = function

    def get(self) -> Any:
        stored = self._read()
        return None if stored is None else self._function.get_result(stored)

    def add(self, value: Any) -> None:
        if value is None:
            self.clear()
            return
        stored = self._read_to_change()
        function = self._function
        self._write(function.add(value, function.create_accumulator() if stored is None else stored))


class TtlList(ListState[Any]):
    """A list whose elements expire one by one."""

    __slots__ = ("_inner", "_lifetime")

    def __init__(self, inner: ListState[Stamped], lifetime: Lifetime) -> None:
        self._inner = inner
        self._lifetime = lifetime

    def get(self) -> list[Any]:
        lifetime = self._lifetime
        lifetime.on_access()
        stored = list(self._inner.get())
        now = lifetime.now()
        kept = [element for element in stored if element[1] + lifetime.ttl_ms > now]
        if lifetime.updates_on_read:
            self._inner.update([(value, now) for value, _ in kept])
        elif len(kept) < len(stored) and not (kept and lifetime.returns_expired):
            self._inner.update(kept)
        return [value for value, _ in (stored if lifetime.returns_expired else kept)]

    def add(self, value: Any) -> None:
        self._lifetime.on_access()
        self._inner.add(None if value is None else (value, self._lifetime.now()))  # type: ignore[arg-type]

    def update(self, values: Iterable[Any]) -> None:
        self._lifetime.on_access()
        self._inner.update(self._stamped(values))

    def add_all(self, values: Iterable[Any]) -> None:
        self._lifetime.on_access()
        self._inner.add_all(self._stamped(values))

    def _stamped(self, values: Iterable[Any] | None) -> Any:
        if values is None:
            return None  # which the inner handle refuses
        now = self._lifetime.now()
        return [None if value is None else (value, now) for value in values]

    def clear(self) -> None:
        self._lifetime.on_access()
        self._inner.clear()


class TtlMap(MapState[Any, Any]):
    """A map whose entries expire one by one."""

    __slots__ = ("_inner", "_lifetime")

    def __init__(self, inner: MapState[Any, Stamped], lifetime: Lifetime) -> None:
        self._inner = inner
        self._lifetime = lifetime

    def get(self, key: Any) -> Any:
        entry = self._find(key)
        return None if entry is None else entry[0]

    def contains(self, key: Any) -> bool:
        return self._find(key) is not None

    def _find(self, key: Any) -> Stamped | None:
        lifetime = self._lifetime
        lifetime.on_access()
        entry = self._inner.get(key)
        if entry is None:
            return None
        now = lifetime.now()
        if entry[1] + lifetime.ttl_ms <= now:
            self._inner.remove(key)
            return entry if lifetime.returns_expired else None
        if lifetime.updates_on_read:
            self._inner.put(key, (entry[0], now))
        return entry

    def put(self, key: Any, value: Any) -> None:
        self._lifetime.on_access()
        self._inner.put(key, (value, self._lifetime.now()))

    def put_all(self, dict_value: dict[Any, Any]) -> None:
        self._lifetime.on_access()
        now = self._lifetime.now()
        self._inner.put_all({key: (value, now) for key, value in dict_value.items()})

    def remove(self, key: Any) -> None:
        self._lifetime.on_access()
        self._inner.remove(key)

    def items(self) -> list[tuple[Any, Any]]:
        lifetime = self._lifetime
        lifetime.on_access()
        now = lifetime.now()
        shown = []
        for key, (value, written) in self._inner.items():
            expired = written + lifetime.ttl_ms <= now
            if expired:
                self._inner.remove(key)
            elif lifetime.updates_on_read:
                self._inner.put(key, (value, now))
            if not expired or lifetime.returns_expired:
                shown.append((key, value))
        return shown

    def keys(self) -> list[Any]:
        return [key for key, _ in self.items()]

    def values(self) -> list[Any]:
        return [value for _, value in self.items()]

    def is_empty(self) -> bool:
        """Whether no entry would be shown; nothing is removed and nothing becomes young again."""
        self._lifetime.on_access()
        if self._lifetime.returns_expired:
            return self._inner.is_empty()
        deadline = self._lifetime.deadline()
        return all(written <= deadline for _, written in self._inner.values())

    def clear(self) -> None:
        self._lifetime.on_access()
        self._inner.clear()
