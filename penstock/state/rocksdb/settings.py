"""The settings of RocksDB, from the options of a job."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.config.configuration import Configuration
from penstock.errors import OptionError
from penstock.state.rocksdb.configurable_options import PREFIX, ConfigurableOptions

LOCAL_DIR = PREFIX + "localdir"
PREDEFINED = PREFIX + "predefined-options"
OBJECT_CACHE = PREFIX + "memory.object-cache"
FIXED_PER_WORKER = PREFIX + "memory.fixed-per-tm"
FIXED_PER_SLOT = PREFIX + "memory.fixed-per-slot"
INCREMENTAL = "execution.checkpointing.incremental"
TIMERS = PREFIX + "timer-service.factory"
TIMERS_PER_KEY_GROUP = PREFIX + "timer-service.cache-size"
MANAGED_SIZE = "taskmanager.memory.managed.size"

DEFAULT_MEMORY_BYTES = 256 << 20
"""What all databases of a worker take, where no option says it."""

MOST_UNCOUNTED_BYTES = 64 << 20
"""What they take of it beside blocks and write buffers, with two compactions at a time; measured, see decision 22."""

LEAST_MEMORY_BYTES = 4 << 20
KINDS_OF_DISK = (
    "DEFAULT", "SPINNING_DISK_OPTIMIZED", "SPINNING_DISK_OPTIMIZED_HIGH_MEM", "FLASH_SSD_OPTIMIZED",
)  # fmt: skip


@dataclass(frozen=True)
class RocksDBSettings:
    """What a program may set; one object for all databases of a worker, which share its memory."""

    directories: tuple[str, ...] = field(default_factory=lambda: (tempfile.gettempdir(),))
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    object_cache_bytes: int = 128 << 20
    write_buffer_ratio: float = 0.5
    has_shared_memory: bool = True
    kind_of_disk: str = "DEFAULT"
    is_incremental: bool = False
    has_timers_on_heap: bool = False
    timers_per_key_group: int = 128
    configurable: ConfigurableOptions = field(default_factory=ConfigurableOptions)

    @property
    def counted_bytes(self) -> int:
        """What RocksDB may count as its own. The rest is for what it takes without counting: the blocks and filters that
        compactions read and make, open files, and gaps between what was freed."""
        return self.memory_bytes - min(self.memory_bytes // 2, MOST_UNCOUNTED_BYTES)

    @property
    def cache_bytes(self) -> int:
        """The bound of blocks and write buffers together, without what write buffers take beyond theirs, as in Flink."""
        own = self.configurable.block_cache_bytes
        if own is not None and not self.has_shared_memory:
            return own
        return int(self.counted_bytes * (1 - self.write_buffer_ratio / 3))

    @property
    def write_buffers_bytes(self) -> int:
        """The bound of all write buffers together, which may take half more for a moment."""
        return int(self.counted_bytes * self.write_buffer_ratio * 2 / 3)

    @staticmethod
    def of(options: Mapping[str, str]) -> "RocksDBSettings":
        """Read and check options.

        >>> RocksDBSettings.of({"state.backend.rocksdb.memory.fixed-per-tm": "64 mb"}).memory_bytes >> 20
        64
        """
        configuration = Configuration.from_dict(options)
        directories = _text(configuration, LOCAL_DIR)
        ratio = float(configuration.get(PREFIX + "memory.write-buffer-ratio"))
        if not 0 < ratio < 1:
            raise OptionError(
                f"{PREFIX}memory.write-buffer-ratio is {ratio}: it is a share, above 0 and below 1"
            )
        return RocksDBSettings(
            _directories(directories),
            _memory_bytes(configuration),
            _checked_bytes(OBJECT_CACHE, configuration.get(OBJECT_CACHE), 1 << 20),
            ratio,
            bool(configuration.get(PREFIX + "memory.managed"))
            or configuration.get(FIXED_PER_SLOT) is not None
            or configuration.get(FIXED_PER_WORKER) is not None,
            _one_of(configuration, PREDEFINED, KINDS_OF_DISK),
            bool(configuration.get(INCREMENTAL)),
            configuration.get(TIMERS) == "HEAP",
            _timers_per_key_group(configuration),
            ConfigurableOptions.of(configuration),
        )


def _timers_per_key_group(configuration: Configuration) -> int:
    count = int(configuration.get(TIMERS_PER_KEY_GROUP))
    if count < 1:
        raise OptionError(
            f"{TIMERS_PER_KEY_GROUP} is {count}: at least one timer of each key group is kept at hand; set 1 or more, "
            f"or {TIMERS} to HEAP to have all timers in memory"
        )
    return count


def _directories(text: str) -> tuple[str, ...]:
    if not text:
        return (tempfile.gettempdir(),)
    found = []
    for name in text.replace(";", ",").split(","):
        path = name.strip().removeprefix("file://").removeprefix("file:")
        if not path.startswith("/"):
            raise OptionError(
                f"{LOCAL_DIR} names {name.strip()!r}, which is not the absolute path of a local directory"
            )
        found.append(path)
    return tuple(found)


def _memory_bytes(configuration: Configuration) -> int:
    for key in (FIXED_PER_WORKER, FIXED_PER_SLOT, MANAGED_SIZE):
        value = configuration.get(key)
        if value is not None:
            return _checked_bytes(key, value, LEAST_MEMORY_BYTES)
    return DEFAULT_MEMORY_BYTES


def _checked_bytes(key: str, value: Any, least: int) -> int:
    size = int(getattr(value, "get_bytes", lambda: value)())
    if size < least:
        raise OptionError(
            f"{key} is {size} bytes, and RocksDB needs at least {least >> 20} mb to work; give it more"
        )
    return size


def _one_of(configuration: Configuration, key: str, known: tuple[str, ...]) -> str:
    value = _text(configuration, key).upper()
    if value not in known:
        raise OptionError(f"{key} is {value!r}; it is one of {', '.join(known)}")
    return value


def _text(configuration: Configuration, key: str) -> str:
    value = configuration.get(key)
    return "" if value is None else str(value)
