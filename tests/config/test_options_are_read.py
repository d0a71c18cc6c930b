"""What the reference calls honoured is read by something: an option that changes nothing has to say so."""

import re
from pathlib import Path

import penstock
from penstock.config.catalogue import all_options

PACKAGE = Path(penstock.__file__).parent

# Their names are put together from what they are about: ``security.ssl.{part}.keystore``, ``metrics.scope.{kind}``.
PUT_TOGETHER = re.compile(r"(security\.ssl\.|metrics\.scope\.)")


def _literals() -> set[str]:
    """Every text in the package that could be a key or its end, outside the catalogue itself."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if path.parent != PACKAGE / "config" / "options":
            found.update(re.findall(r"""["'}]([\w.\-]+)["']""", path.read_text("utf-8")))
    return found


def test_honoured_options_are_read() -> None:
    literals = _literals()
    unread = [
        option.key
        for option in all_options()
        if option.effect == "honoured"
        and not PUT_TOGETHER.match(option.key)
        and not _ends(option.key) & literals
    ]
    assert unread == []


def _ends(key: str) -> set[str]:
    """The key and what is behind a prefix of it; a single word only where it can hardly be anything else."""
    words = key.split(".")
    ends = {".".join(words[start:]) for start in range(len(words) - 1)}
    return ends | ({words[-1]} if "-" in words[-1] else set())
