"""What a program may set of RocksDB's own options, under Flink's keys; what is not set is as penstock has it.

Source: Flink's documentation, "Advanced RocksDB State Backends Options".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.config.configuration import Configuration
from penstock.errors import OptionError

PREFIX = "state.backend.rocksdb."
BLOCK_CACHE = PREFIX + "block.cache-size"
FILES_OPEN = PREFIX + "files.open"
STYLE = PREFIX + "compaction.style"
COMPRESSIONS = PREFIX + "compression.per.level"
FILTER, FILTER_BITS = PREFIX + "use-bloom-filter", PREFIX + "bloom-filter.bits-per-key"
_LEVELS = 7
_COMPRESSION = "_COMPRESSION"
_KINDS_OF_COMPRESSION = {
    "NO": "none",
    "SNAPPY": "snappy",
    "ZLIB": "zlib",
    "BZLIB2": "bz2",
    "LZ4": "lz4",
    "LZ4HC": "lz4hc",
    "ZSTD": "zstd",
}

_NUMBERS: dict[str, str] = {
    "thread.num": "set_max_background_jobs",
    "writebuffer.count": "set_max_write_buffer_number",
    "writebuffer.number-to-merge": "set_min_write_buffer_number_to_merge",
    "log.file-num": "set_keep_log_file_num",
}
_SIZES: dict[str, str] = {
    "writebuffer.size": "set_write_buffer_size",
    "compaction.level.target-file-size-base": "set_target_file_size_base",
    "compaction.level.max-size-level-base": "set_max_bytes_for_level_base",
    "log.max-file-size": "set_max_log_file_size",
}
_SIZES_OF_TABLES: dict[str, str] = {
    "block.blocksize": "set_block_size",
    "block.metadata-blocksize": "set_metadata_block_size",
}
_OTHERS: dict[str, str] = {
    "compaction.level.use-dynamic-size": "set_level_compaction_dynamic_level_bytes",
    "log.dir": "set_db_log_dir",
}
_MAY_BE_ZERO = frozenset({"log.max-file-size"})


@dataclass(frozen=True, slots=True)
class ConfigurableOptions:
    """Those that are set: of the database and of its files, each a method of rocksdict's options and its argument.

    ``filter_bits``: for each key, 0 for no filters. ``block_cache_bytes``: None where it is not set.
    """

    of_database: tuple[tuple[str, Any], ...] = ()
    of_tables: tuple[tuple[str, Any], ...] = ()
    filter_bits: int = 10
    block_cache_bytes: int | None = None
    style: str = "LEVEL"
    compressions: tuple[str, ...] = ()

    @staticmethod
    def of(configuration: Configuration) -> "ConfigurableOptions":
        """Read and check those of a job.

        >>> ConfigurableOptions.of(Configuration.from_dict({"state.backend.rocksdb.thread.num": "4"})).of_database
        (('set_max_background_jobs', 4),)
        """
        of_database = [
            *_found(configuration, _NUMBERS, _checked_number),
            *_found(configuration, _SIZES, _checked_size),
            *_found(configuration, _OTHERS, lambda _, value: value),
        ]
        if configuration.contains_key(FILES_OPEN):
            of_database.append(("set_max_open_files", _files_open(configuration.get(FILES_OPEN))))
        cache = configuration.get(BLOCK_CACHE)
        return ConfigurableOptions(
            tuple(of_database),
            tuple(_found(configuration, _SIZES_OF_TABLES, _checked_size)),
            _filter_bits(configuration),
            None if cache is None else _checked_size(BLOCK_CACHE, cache),
            _style(str(configuration.get(STYLE))),
            tuple(map(_compression, configuration.get(COMPRESSIONS) or ())),
        )

    def apply(self, rocksdict: Any, options: Any, table: Any) -> None:
        """Put them over what is there; ``table`` are the options of files."""
        for setter, value in self.of_database:
            getattr(options, setter)(value)
        for setter, value in self.of_tables:
            getattr(table, setter)(value)
        if self.filter_bits:
            table.set_bloom_filter(self.filter_bits, False)
        if self.style == "NONE":
            options.set_disable_auto_compactions(True)
        elif self.style == "UNIVERSAL":
            options.set_compaction_style(rocksdict.DBCompactionStyle.universal())
        if self.compressions:
            of_levels = [*self.compressions, *[self.compressions[-1]] * (_LEVELS - len(self.compressions))]
            kinds = [getattr(rocksdict.DBCompressionType, name)() for name in of_levels]
            options.set_compression_per_level(kinds)


def _found(
    configuration: Configuration, setters: dict[str, str], checked: Callable[[str, Any], Any]
) -> list[tuple[str, Any]]:
    keys = [name for name in setters if configuration.contains_key(PREFIX + name)]
    return [(setters[name], checked(PREFIX + name, configuration.get(PREFIX + name))) for name in keys]


def _checked_number(key: str, value: Any) -> int:
    if value < 1:
        raise OptionError(f"{key} is {value}: it is a number, 1 or more")
    return int(value)


def _checked_size(key: str, value: Any) -> int:
    size = int(getattr(value, "get_bytes", lambda: value)())
    if size < 1 and key.removeprefix(PREFIX) not in _MAY_BE_ZERO:
        raise OptionError(f"{key} is {size} bytes: it is a size above 0, such as 4 kb")
    return size


def _files_open(count: Any) -> int:
    if count != -1 and count < 1:
        raise OptionError(
            f"{FILES_OPEN} is {count}: it is a number, 1 or more, or -1 for as many as there are"
        )
    return int(count)


def _filter_bits(configuration: Configuration) -> int:
    if not configuration.get(FILTER):
        return 0
    bits = float(configuration.get(FILTER_BITS))
    if bits < 1:
        raise OptionError(
            f"{FILTER_BITS} is {bits:g}: it is a number of bits, 1 or more; for no filters, set {FILTER} to false"
        )
    return round(bits)


def _style(name: str) -> str:
    if name == "FIFO":
        raise OptionError(
            f"{STYLE} is FIFO, which deletes the oldest files of a database, and with them state that is still needed; "
            "set LEVEL, UNIVERSAL or NONE"
        )
    return name


def _compression(name: str) -> str:
    kind = _KINDS_OF_COMPRESSION.get(name.strip().upper().removesuffix(_COMPRESSION))
    if kind is None:
        known = ", ".join(f"{each}{_COMPRESSION}" for each in _KINDS_OF_COMPRESSION)
        raise OptionError(f"{COMPRESSIONS} names {name.strip()!r}; it is a list of {known}")
    return kind
