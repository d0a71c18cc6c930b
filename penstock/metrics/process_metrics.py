"""What a process uses of its machine."""

import gc
import os
import resource
import sys
import threading
from contextlib import suppress
from functools import cache

from penstock.clock import monotonic
from penstock.metrics.system_resources import SystemResources

COLLECTORS = ("Generation0", "Generation1", "Generation2")


def process_metrics(machine: SystemResources | None = None) -> dict[str, float]:
    """CPU, memory, threads, files and collected garbage, under Flink's names where it has them; and what ``machine`` says.

    ``Status.JVM.CPU.Load`` is what was used since the last reading, as a share of the whole machine.

    >>> sorted(process_metrics())[:2]
    ['Status.JVM.CPU.Load', 'Status.JVM.CPU.Time']
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = usage.ru_utime + usage.ru_stime
    collections, garbage = gc.get_stats(), _Garbage.of_process()
    metrics: dict[str, float] = {
        "Status.JVM.CPU.Load": _Load.of_process().read(cpu_s),
        "Status.JVM.CPU.Time": round(cpu_s * 1e9),
        "Status.JVM.Memory.Heap.Used": _memory_bytes(usage.ru_maxrss),
        "Status.JVM.Memory.Heap.Max": _all_memory_bytes(),
        "Status.JVM.Threads.Count": threading.active_count(),
        "Status.JVM.GarbageCollector.All.Count": sum(each["collections"] for each in collections),
        "Status.JVM.GarbageCollector.All.Time": garbage.total_ms(),
        "Status.JVM.FileDescriptor.Max": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }
    for generation, each in enumerate(collections):
        collector = f"Status.JVM.GarbageCollector.{COLLECTORS[generation]}"
        metrics[f"{collector}.Count"] = each["collections"]
        metrics[f"{collector}.Time"] = garbage.millis(generation)
    with suppress(OSError):
        metrics["Status.JVM.FileDescriptor.Open"] = len(os.listdir("/proc/self/fd"))
    with suppress(OSError, ValueError):
        metrics["System.Memory.Available"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    with suppress(OSError):
        metrics["System.CPU.Load1min"] = os.getloadavg()[0]
    return metrics if machine is None else metrics | machine.read()


class _Garbage:
    """How long Python's garbage collector has worked in this process since the first reading, by generation."""

    def __init__(self) -> None:
        self._seconds = [0.0] * len(COLLECTORS)
        self._since = monotonic()
        gc.callbacks.append(self._noted)

    @staticmethod
    @cache
    def of_process() -> "_Garbage":
        return _Garbage()

    def _noted(self, phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            self._since = monotonic()
        else:
            self._seconds[about["generation"]] += monotonic() - self._since

    def millis(self, generation: int) -> int:
        return round(self._seconds[generation] * 1000)

    def total_ms(self) -> int:
        return round(sum(self._seconds) * 1000)


class _Load:
    """The share of the machine's processors that this process had between two readings."""

    def __init__(self) -> None:
        self._last = (monotonic(), 0.0)
        self._load = 0.0

    @staticmethod
    @cache
    def of_process() -> "_Load":
        return _Load()

    def read(self, cpu_s: float) -> float:
        now = monotonic()
        then, before = self._last
        if now - then >= 0.1:
            self._load = min(1.0, (cpu_s - before) / (now - then) / (os.cpu_count() or 1))
            self._last = (now, cpu_s)
        return self._load


@cache
def _all_memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _memory_bytes(peak: int) -> int:
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
    return peak if sys.platform == "darwin" else peak * 1024
