"""From the dictionaries of a state to chunks of entries, and back."""

from collections.abc import Callable
from typing import Any

from penstock.contracts.state import EntryChunk, StateEntries, StoredEntries
from penstock.data.keys import KeyRouter
from penstock.errors import StateError
from penstock.state.hashmap.table import HashMapTable


def write_table(
    table: HashMapTable, groups: KeyRouter, own: range, keep: Callable[[Any], Any] | None = None
) -> StateEntries:
    """Freeze a state. ``groups`` finds the group of a key, ``keep`` what is written of a stored value (None for nothing)."""
    table.namespaces()  # drops those that have become empty
    chunks = []
    for namespace, pane in table.all_panes():
        kept = {
            key: stored if keep is None or stored is None else keep(stored) for key, stored in pane.items()
        }
        keys = [key for key, stored in kept.items() if stored is not None]
        key_groups = [groups[key] for key in keys]
        for key, group in zip(keys, key_groups, strict=True):
            if group not in own:
                raise StateError(
                    f"state {table.meta.name!r} holds key {key!r:.80} of key group {group}, but this subtask owns {own}: "
                    "the record was sent to the wrong subtask, or the key changed after it was computed"
                )
        namespaces = None if namespace is None else [namespace] * len(keys)
        chunks.append(EntryChunk(key_groups, keys, [kept[key] for key in keys], namespaces))
    entries = StoredEntries(table.meta, chunks)
    unpack, arguments = entries.__reduce__()
    copied: StateEntries = unpack(*arguments)
    return copied


def read_into(table: HashMapTable, entries: StateEntries, key_groups: range) -> None:
    """Add the entries of ``key_groups`` to a table."""
    for chunk in entries.chunks(key_groups):
        if chunk.namespaces is None:
            table.void.update(zip(chunk.keys, chunk.values, strict=True))
            continue
        for namespace, key, stored in zip(chunk.namespaces, chunk.keys, chunk.values, strict=True):
            table.pane(namespace)[key] = stored
