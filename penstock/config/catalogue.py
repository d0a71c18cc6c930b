"""Every option of Flink that a program may meet, and what setting it does here.

The texts in ``penstock.config.options`` have four lines for an option: the key; its kind, default and effect; the older keys
that mean the same, if any; one sentence. The effect is ``honoured``, ``accepted`` (known, but nothing changes: memory of a
Java machine, say) or ``refused`` (results would be others, so that setting it to anything but the default is an error). A
text is read when a key of its area is asked for, so that a job that sets nothing pays nothing.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from penstock.config.option import ConfigOption
from penstock.config.value_texts import parse_value
from penstock.errors import OptionError

_AREAS = (
    "pipeline",
    "execution",
    "checkpointing",
    "state",
    "restart",
    "python",
    "cluster",
    "security",
    "web",
    "metrics",
)

_by_key: dict[str, ConfigOption[Any]] = {}
_read: set[str] = set()


def find_option(key: str) -> ConfigOption[Any] | None:
    """The option with this key, now or formerly; None if Flink has none.

    >>> find_option("state.backend").key
    'state.backend.type'
    """
    for area in _AREAS:
        if area not in _read:
            _read_area(area)
        if key in _by_key:
            return _by_key[key]
    return None


def get_option(key: str) -> ConfigOption[Any]:
    """The option with this key; raises OptionError, which names similar keys, if there is none."""
    option = find_option(key)
    if option is None:
        raise OptionError(f"there is no option {key!r}{did_you_mean(key)}")
    return option


def all_options() -> Iterator[ConfigOption[Any]]:
    """Every option, by area."""
    for area in _AREAS:
        for option, _ in _parsed_area(area):
            yield option


def did_you_mean(key: str) -> str:
    """The end of a message about an unknown key: the known key that is most like it, if one is."""
    found = find_similar(key)
    return "" if found is None else f"; did you mean {found!r}?"


def find_similar(key: str) -> str | None:
    """The known key that is most like an unknown one; None where none is much like it."""
    from difflib import get_close_matches

    keys = [option.key for option in all_options()]
    found = get_close_matches(key, keys, n=1, cutoff=0.8)
    return found[0] if found else None


def _read_area(area: str) -> None:
    for option, keys in _parsed_area(area):
        for key in keys:
            _by_key.setdefault(key, option)
    _read.add(area)  # only now: another thread may ask meanwhile


def _parsed_area(area: str) -> Iterator[tuple[ConfigOption[Any], tuple[str, ...]]]:
    text: str = import_module(f"penstock.config.options.{area}").OPTIONS
    key = ""
    details: list[str] = []
    for line in [*text.strip().splitlines(), ""]:
        if line.startswith(" "):
            details.append(line.strip())
            continue
        if key:
            option = _option(key, details)
            yield option, (key, *option.deprecated_keys)
        key, details = line, []


def _option(key: str, details: list[str]) -> ConfigOption[Any]:
    kind_and_default, _, effect = details[0].rpartition(";")
    kind, _, default = kind_and_default.partition("=")
    kind, default = kind.strip(), default.strip()
    formerly = details[1].removeprefix("formerly ").split() if len(details) > 2 else ()
    value = parse_value(kind, default) if default else None
    return ConfigOption(key, kind, value, tuple(formerly), effect.strip(), details[-1])
