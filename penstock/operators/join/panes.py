"""Joins in tumbling and sliding windows of event time with the default trigger: all keys of a window in one go."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from penstock.errors import PenstockError
from penstock.operators.join.two_sides import Join, both_sides
from penstock.operators.user_code import shorten, user_error
from penstock.operators.window.panes import PaneWindows

_NOTHING: Iterator[Any] = iter(())


class JoinPanes(PaneWindows):
    """Does for a window what its superclass does key by key, with the same results."""

    def _evaluate(self, window: Any, pane: Any, over: bool) -> Iterator[int]:
        join = self._spec.evaluation.function
        assert isinstance(join, Join)
        backend, pieces, pairs_of = self._backend, self.context.pieces, join.pairs
        results: list[Any] = []
        keys, most = 0, pieces.most_rows
        for key, stored in pane.items():
            firsts, seconds = both_sides(stored)
            keys += 1
            rest = _NOTHING
            if firsts and seconds:
                backend.current_key = key
                try:
                    pairs = pairs_of(firsts, seconds, at_once=most - len(results))
                    if type(pairs) is list:
                        results += pairs
                    else:
                        rest = iter(pairs)
                        results += islice(rest, most - len(results))
                except Exception as error:
                    raise self._explain(error, key, window) from error
            while keys >= most or len(results) >= most:
                self._collector.take_tagged(results, window.max_timestamp())
                yield max(keys, self._collector.flush())
                results, keys, most = [], 0, pieces.most_rows
                try:
                    results += islice(rest, most)
                except Exception as error:
                    raise self._explain(error, key, window) from error
        self._collector.take_tagged(results, window.max_timestamp())

    def _explain(self, error: Exception, key: Any, window: Any) -> PenstockError:
        return user_error(self.context, error).at(f"when {window} of key {shorten(key)} was evaluated")
