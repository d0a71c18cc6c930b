"""The loop of an inner interval join over the records of one batch, where the function never looks at its context.

Nothing has to be set before each call then, and no call of the engine's own is left in the loop. There is one loop for each
side, from one text, as the function takes the left record first.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from penstock.operators.user_code import GENERATED, user_error

if TYPE_CHECKING:
    from penstock.data.batch import RowBatch
    from penstock.operators.join.interval import Calls, IntervalJoin

InnerLoop = Callable[["IntervalJoin", "RowBatch"], "Calls"]

_TAKE_LIST = """if given.__class__ is list or given.__class__ is tuple:
                    extend(given)
                elif given is not None:
                    yield given"""
_TAKE = """if given is not None:
                    yield given"""

_SOURCE = """
def loop(join, batch):
    pane = join.table.pane(None)
    get, assigns = pane.get, type(pane) is not dict
    register, retention_ms = join.timers.register_event_time_timer, join.retention_ms[{port}]
    to_low, to_high = join.bounds[{port}]
    backend, pairs = join.backend, join.pairs
    process, context, with_times = pairs.process, pairs.context, pairs.{with_times}
    results, stamps = pairs.results, pairs.stamps
    extend, add_stamp = results.extend, stamps.append
    partner = None
    for value, key, time in zip(batch.values, batch.keys, batch.timestamps, strict=True):
        entry = get(key)
        if entry is None:
            entry = pane[key] = ([], [], [], [], [], [])
        {unpacked} = entry
        if own_times and time >= own_times[-1]:
            own_times.append(time)
            own_values.append(value)
        else:
            if not own_times or time < own_times[0]:
                register(key, {port}, time + retention_ms)
            at = bisect_right(own_times, time)
            own_times.insert(at, time)
            own_values.insert(at, value)
        if assigns:
            pane[key] = entry
        if not times or times[-1] < time + to_low:
            continue
        low = bisect_left(times, time + to_low)
        latest = time + to_high
        high = len(times) if times[-1] <= latest else bisect_right(times, latest, low)
        if low == high:
            continue
        backend.current_key = key
        if times[high - 1] > time:  # each pair has a time of its own
            yield from with_times(value, time, values[low:high], times[low:high])
            continue
        context.time = time
        partners = values if high - low == len(times) else values[low:high]
        try:
            for partner in partners:
                given = process({pair}, context)
                {take}
        except Exception as error:
            raise user_error(join.context, error, ({pair})) from error
        missing = len(results) - len(stamps)
        if missing == 1:
            add_stamp(time)
        else:
            stamps += [time] * missing
        if len(stamps) >= most_results:  # results of records with so many partners don't wait for the end of the batch
            yield ()
"""


def inner_loops(most_results: int, yields: bool) -> tuple[InnerLoop, InnerLoop]:
    """The loops for batches of the left and of the right side; with a function that yields they yield all that it gives."""
    own, other = "own_times, own_values, _", "times, values, _"
    return (
        _compiled(0, f"{own}, {other}", "value, partner", "of_left", most_results, yields),
        _compiled(1, f"{other}, {own}", "partner, value", "of_right", most_results, yields),
    )


@lru_cache(maxsize=8)
def _compiled(
    port: int, unpacked: str, pair: str, with_times: str, most_results: int, yields: bool
) -> InnerLoop:
    take = _TAKE if yields else _TAKE_LIST
    source = _SOURCE.format(port=port, unpacked=unpacked, pair=pair, with_times=with_times, take=take)
    namespace: dict[str, Any] = {
        "bisect_left": bisect_left,
        "bisect_right": bisect_right,
        "user_error": user_error,
        "most_results": most_results,
    }
    exec(compile(source, f"{GENERATED} interval join>", "exec"), namespace)
    return namespace["loop"]  # type: ignore[no-any-return]
