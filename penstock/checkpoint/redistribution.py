"""What the subtasks of one run left, dealt out to a subtask of the next, at whatever parallelism.

Keyed state and timers go by key group. Operator state is dealt out as its mode says. Of an operator's own values lists are
cut into parts whose sizes differ by one at most, but for those that are kept together; others are given back at the same
parallelism, and where all are the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from penstock.contracts.state_snapshots import (
    EntryChunk,
    KeyedStateSnapshot,
    OperatorStateMode,
    OperatorStateSnapshot,
    StateEntries,
)
from penstock.data.key_groups import key_group_range
from penstock.errors import StateError
from penstock.operators.contract import KeptTogether, OperatorSnapshot


@dataclass(frozen=True, slots=True)
class SubtaskPlace:
    """Which subtask of how many."""

    index: int
    parallelism: int
    max_parallelism: int

    @property
    def key_groups(self) -> range:
        """The key groups that it owns."""
        return key_group_range(self.max_parallelism, self.parallelism, self.index)


def merged(old: Sequence[OperatorSnapshot | None], subtask: SubtaskPlace) -> OperatorSnapshot:
    """The snapshot of one new subtask; ``old`` has those of all old ones in order, None for one that had finished."""
    present = [snapshot for snapshot in old if snapshot is not None]
    # At the same parallelism all of a subtask's key groups were its own before: the files of the others need not be read.
    own = old[subtask.index] if len(old) == subtask.parallelism else None
    with_keys = present if own is None else [own]
    return OperatorSnapshot(
        keyed=_keyed([s.keyed for s in with_keys if s.keyed is not None], subtask.key_groups),
        timers=dict(_by_name([s.timers for s in with_keys], subtask.key_groups)),
        operator=_operator_state([None if s is None else s.operator for s in old], subtask),
        own=_own([None if s is None else s.own for s in old], subtask),
        checkpoint_id=max(snapshot.checkpoint_id for snapshot in present),
    )


def _keyed(snapshots: list[KeyedStateSnapshot], own: range) -> KeyedStateSnapshot | None:
    if not snapshots:
        return None
    states = _by_name([snapshot.states for snapshot in snapshots], own)
    sources = tuple(chain.from_iterable(snapshot.sources for snapshot in snapshots))
    are_all_native = all(snapshot.sources or not snapshot.states for snapshot in snapshots)
    return KeyedStateSnapshot(snapshots[0].max_parallelism, states, sources=sources if are_all_native else ())


def _by_name(parts: Sequence[Mapping[str, StateEntries]], own: range) -> dict[str, StateEntries]:
    """The entries of some key groups in the states of several subtasks, by the name of the state."""
    found: dict[str, list[StateEntries]] = {}
    for states in parts:
        for name, entries in states.items():
            found.setdefault(name, []).append(entries)
    return {name: JoinedEntries(of_state, own) for name, of_state in found.items()}


class JoinedEntries:
    """The :class:`~penstock.contracts.state.StateEntries` of one state of several subtasks; read when they are walked."""

    __slots__ = ("_own", "_parts", "meta")

    def __init__(self, parts: Sequence[StateEntries], own: range) -> None:
        self.meta = parts[0].meta
        self._parts = parts
        self._own = own
        for part in parts:
            if part.meta.kind is not self.meta.kind or part.meta.ttl != self.meta.ttl:
                raise StateError(
                    f"the parts of state {self.meta.name!r} do not fit together: {self.meta} and {part.meta}"
                )

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """See :class:`~penstock.contracts.state.StateEntries`."""
        own = self._own
        if key_groups is not None:
            own = range(max(own.start, key_groups.start), min(own.stop, key_groups.stop))
        for part in self._parts:
            yield from part.chunks(own)


def _operator_state(
    old: list[OperatorStateSnapshot | None], subtask: SubtaskPlace
) -> OperatorStateSnapshot | None:
    if not any(old):
        return None
    states: dict[str, tuple[OperatorStateMode, tuple[bytes, ...]]] = {}
    modes = {name: mode for each in old if each is not None for name, (mode, _) in each.states.items()}
    types = {name: text for each in old if each is not None for name, text in each.types.items()}
    for name, mode in modes.items():
        parts = [each.states[name][1] if each is not None and name in each.states else () for each in old]
        states[name] = (mode, _part(mode, parts, subtask))
    return OperatorStateSnapshot(states, types)


def _part(
    mode: OperatorStateMode, parts: list[tuple[bytes, ...]], subtask: SubtaskPlace
) -> tuple[bytes, ...]:
    if mode is OperatorStateMode.UNION:
        return tuple(chain.from_iterable(parts))
    if mode is OperatorStateMode.BROADCAST:
        whole = [part for part in parts if part] or parts
        return whole[subtask.index % len(whole)]
    if len(parts) == subtask.parallelism:
        return parts[subtask.index]
    return tuple(_share(list(chain.from_iterable(parts)), subtask))


def _own(values: list[Any], subtask: SubtaskPlace) -> Any:
    if len(values) == subtask.parallelism:
        return values[subtask.index]
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, KeptTogether) for value in given):
        parts = [
            value for old, value in enumerate(values) if old % subtask.parallelism == subtask.index and value
        ]
        return KeptTogether(chain.from_iterable(parts)) if parts else None
    if given and all(isinstance(value, list) for value in given):
        return _share(list(chain.from_iterable(given)), subtask)
    if given and len(given) == len(values) and all(value == given[0] for value in given[1:]):
        return given[0]
    return None


def _share(elements: list[Any], subtask: SubtaskPlace) -> list[Any]:
    size, larger = divmod(len(elements), subtask.parallelism)
    start = subtask.index * size + min(subtask.index, larger)
    return elements[start : start + size + (subtask.index < larger)]
