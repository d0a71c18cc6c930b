"""What a process uses of its machine."""

import os
import resource
import sys
import threading
from contextlib import suppress


def process_metrics() -> dict[str, float]:
    """CPU seconds, memory in bytes, threads, and the machine's load, under Flink's names as far as it has them.

    >>> sorted(process_metrics())[:2]
    ['Status.JVM.CPU.Time', 'Status.JVM.Memory.Heap.Used']
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics: dict[str, float] = {
        "Status.JVM.CPU.Time": round((usage.ru_utime + usage.ru_stime) * 1e9),
        "Status.JVM.Memory.Heap.Used": _memory_bytes(usage.ru_maxrss),
        "Status.JVM.Threads.Count": threading.active_count(),
    }
    with suppress(OSError):
        metrics["System.CPU.Load1min"] = os.getloadavg()[0]
    return metrics


def _memory_bytes(peak: int) -> int:
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
    return peak if sys.platform == "darwin" else peak * 1024
