"""Joins in tumbling and sliding windows of event time with the default trigger: all keys of a window in one go."""

from collections.abc import Iterator
from typing import Any

from penstock.operators.collector import has_tagged
from penstock.operators.join.two_sides import Join, both_sides
from penstock.operators.user_code import shorten, user_error
from penstock.operators.window.panes import PaneWindows


class JoinPanes(PaneWindows):
    """Does for a window what its superclass does key by key, with the same results."""

    def _evaluate(self, window: Any, pane: Any, over: bool) -> Iterator[int]:
        join = self._spec.evaluation.function
        assert isinstance(join, Join)
        backend, pairs_of = self._backend, join.pairs
        results: list[Any] = []
        keys = 0
        for key, stored in pane.items():
            firsts, seconds = both_sides(stored)
            keys += 1
            if not (firsts and seconds):
                continue
            backend.current_key = key
            try:
                results += pairs_of(firsts, seconds)
            except Exception as error:
                place = f"when {window} of key {shorten(key)} was evaluated"
                raise user_error(self.context, error).at(place) from error
            if len(results) >= self.context.pieces.most_rows:
                self._gather(results, window)
                yield from self._flushed(keys)
                results, keys = [], 0
        self._gather(results, window)

    def _gather(self, results: list[Any], window: Any) -> None:
        if has_tagged(results):
            self._collector.take(results, window.max_timestamp())
        else:
            self._collector.take_all(results, window.max_timestamp())
