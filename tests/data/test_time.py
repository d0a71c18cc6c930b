"""Durations, instants and times; texts and errors as Flink 2.3 has them."""

import pickle
from datetime import timedelta

import pytest

from penstock.data.time import Duration, Instant, Time


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("10 s", 10_000),
        ("1 min", 60_000),
        ("1m", 60_000),
        ("1 MIN", 60_000),
        ("PT5S", 5_000),
        ("pt5s", 5_000),
        ("P1DT2H", 26 * 3_600_000),
        ("PT-1.5S", -1_500),
        ("5", 5),
        ("3 d", 3 * 86_400_000),
        (" 12  hours ", 12 * 3_600_000),
        ("2 millis", 2),
    ],
)
def test_a_duration_is_read_from_flinks_texts(text, millis):
    assert Duration.of(text) == Duration.of_millis(millis)


def test_the_finest_units_are_micro_and_nanoseconds():
    assert Duration.of("2 µs").to_nanos() == 2_000
    assert Duration.of("7ns") == Duration.of_nanos(7)


@pytest.mark.parametrize("text", ["", "1.5 s", "2 us", "-5 s", "5 parsecs", "1h 5min", "P", "PT", "x"])
def test_a_text_that_flink_rejects_is_rejected(text):
    with pytest.raises(ValueError, match="is not a duration"):
        Duration.of(text)


@pytest.mark.parametrize(
    ("millis", "text"),
    [
        (0, "PT0S"),
        (1, "PT0.001S"),
        (1500, "PT1.5S"),
        (86_400_000, "PT24H"),
        (90_000, "PT1M30S"),
        (-1500, "PT-1.5S"),
    ],
)
def test_a_duration_is_written_as_java_writes_it(millis, text):
    assert str(Duration.of_millis(millis)) == text
    assert Duration.of(text) == Duration.of_millis(millis)


def test_durations_are_equal_by_length_and_come_from_many_things():
    assert Duration.of_days(1) == Duration.of_hours(24) == Duration.of_minutes(1440)
    assert Duration.of(timedelta(seconds=2)) == Duration.of(2000) == Duration.of(Time.seconds(2))
    assert Duration.of_seconds(2).to_timedelta() == timedelta(seconds=2)
    assert {Duration.of_seconds(60): 1}[Duration.of_minutes(1)] == 1
    assert Duration.of_millis(1) < Duration.of_millis(2)
    with pytest.raises(TypeError, match="cannot make a duration"):
        Duration.of(None)


def test_times_are_milliseconds():
    assert Time.seconds(3) == Time.milliseconds(3000)
    assert Time.days(1) == Time.hours(24) == Time.minutes(1440)
    assert str(Time.seconds(3)) == "3000 ms"
    assert Time.of("1 min").to_milliseconds() == Duration.of("1 min").to_milliseconds() == 60_000


def test_an_instant_before_the_epoch_gives_back_its_milliseconds():
    assert repr(Instant.of_epoch_milli(-1)) == "Instant<-1, 999000000>"
    for millis in (-1001, -1000, -1, 0, 1, 1577934245123):
        assert Instant.of_epoch_milli(millis).to_epoch_milli() == millis


@pytest.mark.parametrize("value", [Duration.of_nanos(7), Instant(1, 2), Time.seconds(3)])
def test_times_survive_pickling_and_hash_alike(value):
    twin = pickle.loads(pickle.dumps(value))
    assert twin == value
    assert hash(twin) == hash(value)
