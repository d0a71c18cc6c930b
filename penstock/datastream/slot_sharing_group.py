"""Slot sharing groups: which operators may run in one worker, and what such a worker needs."""

from dataclasses import dataclass, field, replace
from functools import total_ordering
from typing import Any

from penstock.config.quantities import format_memory_size, parse_memory_size
from penstock.dataflow.slot_resources import SlotResources
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller


@total_ordering
class MemorySize:
    """A number of bytes.

    >>> str(MemorySize.of_mebi_bytes(10)), MemorySize(bytes_size=1500).get_kibi_bytes(), MemorySize.parse("1 g").get_bytes()
    ('10 mb', 1, 1073741824)
    """

    __slots__ = ("_bytes",)

    def __init__(self, bytes_size: int) -> None:
        if isinstance(bytes_size, bool) or not isinstance(bytes_size, int) or bytes_size < 0:
            raise ProgramError(
                f"a memory size is a number of bytes from 0 up, not {bytes_size!r} ({origin_of_caller()})"
            )
        self._bytes = bytes_size

    @staticmethod
    def of_mebi_bytes(mebi_bytes: int) -> "MemorySize":
        """A size in units of 1024 * 1024 bytes."""
        return MemorySize(mebi_bytes << 20)

    @staticmethod
    def parse(text: str) -> "MemorySize":
        """A size as options write it, such as ``64 mb``."""
        try:
            return MemorySize(parse_memory_size(text))
        except ValueError as error:
            raise ProgramError(f"{error} ({origin_of_caller()})") from error

    def get_bytes(self) -> int:
        """The size in bytes."""
        return self._bytes

    def get_kibi_bytes(self) -> int:
        """The size in whole units of 1024 bytes."""
        return self._bytes >> 10

    def get_mebi_bytes(self) -> int:
        """The size in whole units of 1024 ** 2 bytes."""
        return self._bytes >> 20

    def get_gibi_bytes(self) -> int:
        """The size in whole units of 1024 ** 3 bytes."""
        return self._bytes >> 30

    def get_tebi_bytes(self) -> int:
        """The size in whole units of 1024 ** 4 bytes."""
        return self._bytes >> 40

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemorySize) and self._bytes == other._bytes

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, MemorySize):
            raise TypeError(f"a MemorySize cannot be compared with {other!r}")
        return self._bytes < other._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __str__(self) -> str:
        return format_memory_size(self._bytes)

    def __repr__(self) -> str:
        return f"MemorySize({self})"


@dataclass(frozen=True, slots=True)
class SlotSharingGroup:
    """A named group of operators that may run in one worker, with what the worker needs where that is said.

    >>> group = SlotSharingGroup.builder("heavy").set_cpu_cores(2.0).set_task_heap_memory_mb(512).build()
    >>> group.get_name(), group.get_cpu_cores(), str(group.get_task_heap_memory())
    ('heavy', 2.0, '512 mb')
    """

    name: str
    cpu_cores: float | None = None
    task_heap_memory: MemorySize | None = None
    task_off_heap_memory: MemorySize | None = None
    managed_memory: MemorySize | None = None
    external_resources: dict[str, float] = field(default_factory=dict, hash=False)

    @staticmethod
    def builder(name: str) -> "SlotSharingGroup.Builder":
        """Begin a group."""
        if not isinstance(name, str) or not name:
            raise ProgramError(f"a slot sharing group is named by a str, not {name!r} ({origin_of_caller()})")
        return SlotSharingGroup.Builder(SlotSharingGroup(name))

    def resources(self) -> SlotResources | None:
        """What a slot of the group needs; None where nothing is said."""
        if self.cpu_cores is None or self.task_heap_memory is None:
            return None
        others = (self.task_off_heap_memory, self.managed_memory)
        off_heap, managed = (0 if size is None else size.get_bytes() for size in others)
        external = tuple(sorted(self.external_resources.items()))
        return SlotResources(self.cpu_cores, self.task_heap_memory.get_bytes(), off_heap, managed, external)

    def get_name(self) -> str:
        """The name by which operators are put into the group."""
        return self.name

    def get_managed_memory(self) -> MemorySize | None:
        """Memory for state and for sorting."""
        return self.managed_memory

    def get_task_heap_memory(self) -> MemorySize | None:
        """Memory for the program."""
        return self.task_heap_memory

    def get_task_off_heap_memory(self) -> MemorySize | None:
        """Memory for the program outside the heap."""
        return self.task_off_heap_memory

    def get_cpu_cores(self) -> float | None:
        """How many cores."""
        return self.cpu_cores

    def get_external_resources(self) -> dict[str, float]:
        """Other things by name, such as GPUs."""
        return dict(self.external_resources)

    class Builder:
        """Collects what a group needs. Cores and heap memory come together, and the rest only with them."""

        def __init__(self, group: "SlotSharingGroup") -> None:
            self._group = group

        def set_cpu_cores(self, cpu_cores: float) -> "SlotSharingGroup.Builder":
            """Ask for so many cores."""
            if isinstance(cpu_cores, bool) or not isinstance(cpu_cores, (int, float)) or not cpu_cores > 0:
                raise ProgramError(
                    f"the number of cores must be above 0, not {cpu_cores!r} ({origin_of_caller()})"
                )
            return self._set(cpu_cores=float(cpu_cores))

        def set_task_heap_memory(self, task_heap_memory: MemorySize) -> "SlotSharingGroup.Builder":
            """Ask for memory for the program."""
            if task_heap_memory.get_bytes() == 0:
                raise ProgramError(f"the task heap memory must be above 0 ({origin_of_caller()})")
            return self._set(task_heap_memory=task_heap_memory)

        def set_task_heap_memory_mb(self, task_heap_memory_mb: int) -> "SlotSharingGroup.Builder":
            """Ask for memory for the program, in units of 1024 * 1024 bytes."""
            return self.set_task_heap_memory(MemorySize.of_mebi_bytes(task_heap_memory_mb))

        def set_task_off_heap_memory(self, task_off_heap_memory: MemorySize) -> "SlotSharingGroup.Builder":
            """Ask for memory outside the heap."""
            return self._set(task_off_heap_memory=task_off_heap_memory)

        def set_task_off_heap_memory_mb(self, task_off_heap_memory_mb: int) -> "SlotSharingGroup.Builder":
            """Ask for memory outside the heap, in units of 1024 * 1024 bytes."""
            return self.set_task_off_heap_memory(MemorySize.of_mebi_bytes(task_off_heap_memory_mb))

        def set_managed_memory(self, managed_memory: MemorySize) -> "SlotSharingGroup.Builder":
            """Ask for memory for state and for sorting."""
            return self._set(managed_memory=managed_memory)

        def set_managed_memory_mb(self, managed_memory_mb: int) -> "SlotSharingGroup.Builder":
            """Ask for memory for state and for sorting, in units of 1024 * 1024 bytes."""
            return self.set_managed_memory(MemorySize.of_mebi_bytes(managed_memory_mb))

        def set_external_resource(self, name: str, value: float) -> "SlotSharingGroup.Builder":
            """Ask for so much of another thing."""
            if not isinstance(name, str) or not name or not value > 0:
                raise ProgramError(
                    f"an external resource has a name and an amount above 0, not {name!r} and {value!r} "
                    f"({origin_of_caller()})"
                )
            return self._set(external_resources={**self._group.external_resources, name: value})

        def build(self) -> "SlotSharingGroup":
            """The group.

            :raises ProgramError: when something is asked for, but not both cores and heap memory.
            """
            group = self._group
            if group == SlotSharingGroup(group.name):
                return group
            if group.cpu_cores is None or group.task_heap_memory is None:
                raise ProgramError(
                    f"the slot sharing group {group.name!r} says what it needs, so it must say both set_cpu_cores and "
                    f"set_task_heap_memory ({origin_of_caller()})"
                )
            nothing = MemorySize(0)
            return replace(
                group,
                task_off_heap_memory=group.task_off_heap_memory or nothing,
                managed_memory=group.managed_memory or nothing,
            )

        def _set(self, **fields: Any) -> "SlotSharingGroup.Builder":
            self._group = replace(self._group, **fields)
            return self


__all__ = ["MemorySize", "SlotSharingGroup"]
