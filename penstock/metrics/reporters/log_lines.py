"""Writes metrics into the log, as Flink's Slf4j reporter does: one record for each report."""

import logging
from collections.abc import Sequence

from penstock.metrics.readings import Reading
from penstock.metrics.reporters.contract import Read
from penstock.metrics.reporters.scope_names import ScopeNames
from penstock.metrics.reporters.settings import ReporterSettings

_log = logging.getLogger(__name__)


class LogReporter:
    """The logger is ``penstock.metrics.reporters.log_lines``, the level ``INFO``."""

    def __init__(self, settings: ReporterSettings, names: ScopeNames) -> None:
        self._settings = settings
        self._names = names

    def open(self, read: Read) -> None:
        """Nothing is held open."""

    def report(self, readings: Sequence[Reading]) -> None:
        delimiter = self._settings.delimiter
        lines = sorted(f"{self._names.of(reading, delimiter)}: {reading.value}" for reading in readings)
        _log.info("metrics of reporter %s:\n%s", self._settings.name, "\n".join(lines))

    def close(self) -> None:
        """Nothing is held open."""
