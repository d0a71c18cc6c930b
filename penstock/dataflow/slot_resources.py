"""What the slots of a slot sharing group need, as it travels with the graph to who gives out slots."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlotResources:
    """Cores, bytes of memory by purpose, and other things by name. Groups without any take slots as they are."""

    cpu_cores: float
    task_heap_bytes: int
    task_off_heap_bytes: int = 0
    managed_bytes: int = 0
    external: tuple[tuple[str, float], ...] = ()
