"""From the dictionaries of a state to pickles by key group, and back."""

from collections.abc import Callable
from typing import Any

from penstock.contracts.state import StateSnapshot
from penstock.data.keys import KeyRouter
from penstock.errors import StateError
from penstock.state.hashmap.table import HashMapTable
from penstock.state.pickles import dump, load

Content = dict[Any, dict[Any, Any]]


def write_table(
    table: HashMapTable, groups: KeyRouter, own: range, keep: Callable[[Any], Any] | None = None
) -> StateSnapshot:
    """Freeze a state. ``groups`` finds the group of a key, ``keep`` what is written of a stored value (None for nothing).

    Costs about a microsecond per entry and the pickling, while the operator waits.
    """
    table.namespaces()  # drops those that have become empty
    by_group: dict[int, Content] = {}
    for namespace, pane in table.all_panes():
        parts: dict[int, dict[Any, Any]] = {}
        for key, stored in pane.items():
            if keep is not None and stored is not None:
                stored = keep(stored)
            if stored is None:
                continue
            group = groups[key]
            part = parts.get(group)
            if part is None:
                part = parts[group] = {}
            part[key] = stored
        for group, part in parts.items():
            by_group.setdefault(group, {})[namespace] = part
    name = table.meta.name
    for group, content in by_group.items():
        if group not in own:
            key = next(iter(next(iter(content.values()))))
            raise StateError(
                f"state {name!r} holds key {key!r:.80} of key group {group}, but this subtask owns {own}: the record was "
                "sent to the wrong subtask, or the key changed after it was computed"
            )
    return StateSnapshot(
        table.meta, {group: _pickled(name, content) for group, content in sorted(by_group.items())}
    )


def _pickled(name: str, content: Content) -> bytes:
    try:
        return dump(content)
    except Exception as error:
        raise _find_culprit(name, content, error) from error


def _find_culprit(name: str, content: Content, error: Exception) -> StateError:
    for part in content.values():
        for key, stored in part.items():
            try:
                dump((key, stored))
            except Exception as reason:  # noqa: BLE001  (whatever a class raises while it is pickled)
                return StateError(
                    f"state {name!r} cannot be saved: under key {key!r:.80} it holds a {type(stored).__qualname__} that "
                    f"cannot be pickled ({reason}); keep only values that can be pickled in state"
                )
    return StateError(f"state {name!r} cannot be saved: {error}")


def read_into(table: HashMapTable, snapshot: StateSnapshot, key_groups: range) -> None:
    """Add the entries of ``key_groups`` to a table."""
    for group, data in snapshot.groups.items():
        if group in key_groups:
            content: Content = load(data, f"state {snapshot.meta.name!r}, key group {group},")
            for namespace, part in content.items():
                table.pane(namespace).update(part)
