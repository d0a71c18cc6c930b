"""What the machine as a whole uses: processors, memory, network; out of Linux's ``/proc``, elsewhere there is nothing.

Source: Flink's documentation, "Metrics", "System resources".
"""

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from penstock.clock import monotonic
from penstock.config.configuration import Configuration

WANTED = "metrics.system-resource"
INTERVAL = "metrics.system-resource-probing-interval"

# In the order of the columns of /proc/stat.
_TIMES = ("User", "Nice", "Sys", "Idle", "IOWait", "Irq", "SoftIrq", "Steal")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Probe:
    """What the system has counted since it was started: ticks of each processor and of all (``cpu``), and the bytes that each
    network interface has received and sent."""

    at_s: float
    ticks: Mapping[str, tuple[int, ...]]
    traffic: Mapping[str, tuple[int, int]]

    @staticmethod
    def taken(proc: Path = _PROC) -> "Probe":
        """Now."""
        ticks, traffic = {}, {}
        for line in _lines(proc / "stat"):
            name, *counts = line.split()
            if name.startswith("cpu"):
                ticks[name] = tuple(int(count) for count in counts[: len(_TIMES)])
        for line in _lines(proc / "net" / "dev"):
            name, colon, rest = line.partition(":")
            if colon:
                columns = rest.split()
                traffic[name.strip()] = (int(columns[0]), int(columns[8]))
        return Probe(monotonic(), ticks, traffic)

    def since(self, before: "Probe") -> dict[str, float]:
        """Shares of processor time in percent, and bytes per second, between two probes."""
        found: dict[str, float] = {}
        for name, ticks in self.ticks.items():
            spent = [now - then for now, then in zip(ticks, before.ticks.get(name, ticks), strict=True)]
            whole = sum(spent) or 1
            shares = {kind: 100 * each / whole for kind, each in zip(_TIMES, spent, strict=False)}
            usage = 100 - shares["Idle"] - shares["IOWait"] if any(spent) else 0.0
            found[f"System.CPU.Usage{name.upper() if name != 'cpu' else ''}"] = usage
            if name == "cpu":
                found |= {f"System.CPU.{kind}": share for kind, share in shares.items()}
        seconds = self.at_s - before.at_s
        for interface, counts in self.traffic.items():
            then = before.traffic.get(interface, counts)
            for end, now, was in zip(("ReceiveRate", "SendRate"), counts, then, strict=True):
                found[f"System.Network.{interface}.{end}"] = (now - was) / seconds if seconds > 0 else 0.0
        return found


class SystemResources:
    """Probes when it is read, and not more often than its interval; any thread may read."""

    def __init__(self, interval_s: float = 5.0) -> None:
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._last = Probe.taken()
        self._rates = self._last.since(self._last)

    @staticmethod
    def of(options: Mapping[str, str]) -> "SystemResources | None":
        """What options want; None where they want nothing.

        :raises OptionError: for a value that is none.
        """
        given = {key: options[key] for key in (WANTED, INTERVAL) if key in options}
        known = Configuration.from_dict(given)
        if not known.get_boolean(WANTED, False):
            return None
        return SystemResources((known.get_millis(INTERVAL, 5_000) or 0) / 1000)

    def read(self) -> dict[str, float]:
        """All by Flink's names; rates are those between the last two probes."""
        with self._lock:
            if monotonic() - self._last.at_s >= self._interval_s:
                now = Probe.taken()
                self._rates, self._last = now.since(self._last), now
            rates = self._rates
        return {**rates, **_loads(), **_memory()}


def _loads() -> dict[str, float]:
    with suppress(OSError):
        names = ("Load1min", "Load5min", "Load15min")
        return {f"System.CPU.{name}": load for name, load in zip(names, os.getloadavg(), strict=True)}
    return {}


def _memory() -> dict[str, float]:
    found = {}
    for line in _lines(_PROC / "meminfo"):
        name, _, rest = line.partition(":")
        found[name] = int(rest.split()[0]) << 10
    if "MemTotal" not in found:
        return {}
    return {
        "System.Memory.Total": found["MemTotal"],
        "System.Memory.Available": found.get("MemAvailable", found["MemFree"]),
        "System.Swap.Total": found["SwapTotal"],
        "System.Swap.Used": found["SwapTotal"] - found["SwapFree"],
    }


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
