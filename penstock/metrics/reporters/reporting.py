"""A thread that has each reporter report at its interval."""

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from penstock.clock import monotonic
from penstock.errors import PenstockError
from penstock.metrics.readings import Reading
from penstock.metrics.reporters.configured import reporters_of
from penstock.metrics.reporters.contract import Read, Reporter
from penstock.metrics.reporters.settings import ReporterSettings

_log = logging.getLogger(__name__)


class Reporting:
    """The reporters that options name, from :meth:`start` to :meth:`close`. Without one, nothing is done.

    :raises PenstockError: for options that make no sense.
    """

    def __init__(self, options: Mapping[str, str], read: Read) -> None:
        self._read = read
        self._reporters = reporters_of(options)
        self._ended = threading.Event()
        self._failing: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True, name="reporters")

    def start(self) -> None:
        """Begin to report. A reporter that cannot begin, as its port is taken, is logged and left out."""
        for each in list(self._reporters):
            settings, reporter = each
            try:
                reporter.open(partial(self._for, settings))
            except PenstockError as error:
                _log.error("reporter %s tells nothing: %s", settings.name, error)
                self._reporters.remove(each)
        if self._reporters:
            self._thread.start()

    @property
    def has_reporters(self) -> bool:
        """Whether there is anybody to be told."""
        return bool(self._reporters)

    def close(self) -> None:
        """Report no more."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(10)
        for _, reporter in self._reporters:
            with suppress(PenstockError):
                reporter.close()

    def _for(self, settings: ReporterSettings) -> list[Reading]:
        passes = settings.filter().lets_pass
        return [reading for reading in self._read() if passes(reading)]

    def _run(self) -> None:
        due = {settings.name: monotonic() + settings.interval_s for settings, _ in self._reporters}
        while not self._ended.wait(max(0.0, min(due.values()) - monotonic())):
            for settings, reporter in self._reporters:
                if monotonic() >= due[settings.name]:
                    due[settings.name] = monotonic() + settings.interval_s
                    self._report(settings, reporter)

    def _report(self, settings: ReporterSettings, reporter: Reporter) -> None:
        """Report once; a failure is logged once, until it has gone well again."""
        try:
            reporter.report(self._for(settings))
        except PenstockError as error:
            if settings.name not in self._failing:
                _log.warning("reporter %s: %s", settings.name, error)
            self._failing.add(settings.name)
        else:
            self._failing.discard(settings.name)
