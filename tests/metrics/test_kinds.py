"""Counters, gauges, meters, distributions and the groups that name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ProgramError
from penstock.metrics import Counter, Distribution, Meter, MetricGroup, kinds


@given(st.lists(st.integers(-100, 100)))
def test_a_counter_goes_up_and_down(steps: list[int]) -> None:
    counter = Counter()
    for step in steps:
        if step < 0:
            counter.dec(-step)
        else:
            counter.inc(step)
    assert counter.get_count() == counter.read() == sum(steps)


@given(st.lists(st.integers(), min_size=1))
def test_a_distribution_knows_count_sum_extremes_and_mean(values: list[int]) -> None:
    distribution = Distribution()
    for value in values:
        distribution.update(value)
    assert distribution.read() == {
        "count": len(values),
        "sum": sum(values),
        "min": min(values),
        "max": max(values),
        "mean": sum(values) / len(values),
    }


def test_a_distribution_without_values_has_no_extremes_and_no_mean() -> None:
    assert Distribution().read() == {"count": 0, "sum": 0, "min": None, "max": None, "mean": None}


def test_the_rate_of_a_meter_is_that_of_its_time_span(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(kinds, "monotonic", lambda: now[0])
    meter = Meter(time_span_in_seconds=10)
    assert meter.get_rate() == 0.0
    meter.mark_event(50)
    now[0] = 5.0
    assert meter.get_rate() == 10.0
    now[0] = 15.0
    assert meter.read() == {"count": 50, "rate": 0.0}
    meter.mark_event()
    assert meter.get_count() == 51


def test_a_gauge_is_computed_whenever_it_is_read() -> None:
    group = MetricGroup()
    waiting: list[int] = []
    group.gauge("waiting", lambda: len(waiting))
    assert dict(group.collect()) == {"waiting": 0}
    waiting.append(1)
    assert dict(group.collect()) == {"waiting": 1}


def test_groups_nest_and_asking_twice_gives_the_same_group() -> None:
    group = MetricGroup(("job",))
    group.add_group("mine").counter("seen").inc()
    group.add_group("mine").counter("lost").inc(2)
    group.add_group("user", "anna").counter("seen").inc(3)
    assert dict(group.collect()) == {"job.mine.seen": 1, "job.mine.lost": 2, "job.user.anna.seen": 3}


def test_a_name_is_given_once_in_a_group() -> None:
    group = MetricGroup(("job", "map"))
    group.counter("seen")
    with pytest.raises(ProgramError, match=r"'seen' is registered already in 'job.map'"):
        group.meter("seen")


def test_a_successor_goes_on_with_the_counters_and_has_gauges_of_its_own() -> None:
    group = MetricGroup(("job",))
    for part, number in enumerate([2, 3]):
        mine = group.for_successor().add_group("part", "a")
        mine.counter("seen").inc(number)
        mine.gauge("number", lambda part=part: part)
    assert dict(group.collect()) == {"job.part.a.seen": 5, "job.part.a.number": 1}


def test_a_reading_is_written_as_often_as_its_owner_wants() -> None:
    group = MetricGroup()
    group.set("watermark", None)
    group.set("watermark", 7)
    assert dict(group.collect()) == {"watermark": 7}
    group.counter("records")
    with pytest.raises(ProgramError, match="registered already"):
        group.set("records", 1)
