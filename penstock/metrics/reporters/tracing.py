"""A thread that has reporters tell of spans, each once."""

import threading
from collections.abc import Mapping

from penstock.metrics.reporters.span_reporters import span_reporters_of
from penstock.metrics.traces import ReadSpans

LOOK_S = 1.0


class Tracing:
    """The reporters of spans that options name, from :meth:`start` to :meth:`close`. Without one, nothing is done.

    :raises PenstockError: for options that make no sense.
    """

    def __init__(self, options: Mapping[str, str], read: ReadSpans) -> None:
        self._read = read
        self._reporters = span_reporters_of(options)
        self._told: set[object] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="traces")

    def start(self) -> None:
        """Begin to look for spans."""
        if self._reporters:
            self._thread.start()

    def close(self) -> None:
        """Tell of the last ones."""
        if not self._reporters:
            return
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(10)
            self._look()
        for reporter in self._reporters:
            reporter.close()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._look()

    def _look(self) -> None:
        spans = self._read()
        for key, span in spans.items():
            if key not in self._told:
                for reporter in self._reporters:
                    reporter.tell(span)
        self._told = set(spans)
