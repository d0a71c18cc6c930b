"""Joins in tumbling and sliding windows of event time with the default trigger: all keys of a window in one go."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from penstock.operators.join.two_sides import Join, both_sides
from penstock.operators.user_code import shorten, user_error
from penstock.operators.window.panes import PaneWindows


class JoinPanes(PaneWindows):
    """Does for a window what its superclass does key by key, with the same results."""

    def _evaluate(self, window: Any, pane: Any, over: bool) -> Iterator[int]:
        join = self._spec.evaluation.function
        assert isinstance(join, Join)
        backend, pieces = self._backend, self.context.pieces
        results: list[Any] = []
        keys, most = 0, pieces.most_rows
        for key, stored in pane.items():
            firsts, seconds = both_sides(stored)
            backend.current_key = key
            pairs = join.pairs(firsts, seconds)
            keys += 1
            while True:
                try:
                    results += islice(pairs, most - len(results))
                except Exception as error:
                    place = f"when {window} of key {shorten(key)} was evaluated"
                    raise user_error(self.context, error).at(place) from error
                is_full = len(results) >= most
                if is_full or keys >= most:
                    self._collector.take_tagged(results, window.max_timestamp())
                    yield max(keys, self._collector.flush())
                    results, keys, most = [], 0, pieces.most_rows
                if not is_full:
                    break
        self._collector.take_tagged(results, window.max_timestamp())
