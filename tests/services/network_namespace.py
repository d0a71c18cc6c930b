"""A network of this machine alone: a namespace with a line to it that can be cut, as a cable is."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from penstock.chance import secret_token


@dataclass(frozen=True, slots=True)
class FarSide:
    """``here`` and ``there`` are the addresses of the two ends of the line."""

    name: str
    here: str
    there: str

    @property
    def inside(self) -> list[str]:
        """The words before a command that is to run on the far side."""
        return ["ip", "netns", "exec", self.name]

    def cut(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        _ip("-n", self.name, "link", "set", f"{self.name}-n", "down")

    def mend(self) -> None:
        """The line is there again."""
        _ip("-n", self.name, "link", "set", f"{self.name}-n", "up")


def why_not() -> str | None:
    """Why there can be none here; None where there can."""
    try:
        name = f"p{secret_token(3).hex()}"
        _ip("netns", "add", name)
        _ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return None


@contextmanager
def far_side() -> Iterator[FarSide]:
    """A namespace with an address of its own."""
    name = f"p{secret_token(3).hex()}"
    block = os.getpid() % 250
    made = FarSide(name, f"10.213.{block}.1", f"10.213.{block}.2")
    _ip("netns", "add", name)
    try:
        _ip("link", "add", f"{name}-h", "type", "veth", "peer", "name", f"{name}-n")
        _ip("link", "set", f"{name}-n", "netns", name)
        _ip("addr", "add", f"{made.here}/30", "dev", f"{name}-h")
        _ip("link", "set", f"{name}-h", "up")
        for words in (
            ("addr", "add", f"{made.there}/30", "dev", f"{name}-n"),
            ("link", "set", f"{name}-n", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", name, *words)
        yield made
    finally:
        subprocess.run(["ip", "link", "del", f"{name}-h"], check=False, capture_output=True)
        _ip("netns", "del", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
