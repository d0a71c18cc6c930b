"""The memory that options plan for a TaskManager: shown to who asks for it. Python's processes are not bounded by it."""

from collections.abc import Mapping

from penstock.config.quantities import parse_memory_size
from penstock.errors import OptionError

# Flink's names of the parts, and the options that set them.
PARTS = {
    "frameworkHeap": "taskmanager.memory.framework.heap.size",
    "taskHeap": "taskmanager.memory.task.heap.size",
    "frameworkOffHeap": "taskmanager.memory.framework.off-heap.size",
    "taskOffHeap": "taskmanager.memory.task.off-heap.size",
    "networkMemory": "taskmanager.memory.network.max",
    "managedMemory": "taskmanager.memory.managed.size",
    "jvmMetaspace": "taskmanager.memory.jvm-metaspace.size",
    "jvmOverhead": "taskmanager.memory.jvm-overhead.max",
    "totalFlinkMemory": "taskmanager.memory.flink.size",
    "totalProcessMemory": "taskmanager.memory.process.size",
}


def planned_memory(options: Mapping[str, str]) -> dict[str, int]:
    """The bytes of each part that an option sets.

    >>> planned_memory({"taskmanager.memory.process.size": "2 gb", "taskmanager.memory.managed.size": "64m"})
    {'managedMemory': 67108864, 'totalProcessMemory': 2147483648}

    :raises OptionError: for what is no size.
    """
    found = {}
    for part, key in PARTS.items():
        if key in options:
            try:
                found[part] = parse_memory_size(options[key])
            except ValueError as error:
                raise OptionError(f"{key}: {error}") from error
    return found
