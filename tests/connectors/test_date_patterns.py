"""Patterns of dates: the texts are those that Java's DateTimeFormatter was seen to write."""

import pickle
from datetime import UTC, datetime

import pytest

from penstock.connectors.files.date_patterns import DatePattern
from penstock.connectors.files.layout import BucketAssigner
from penstock.errors import ProgramError

MORNING = datetime(2024, 2, 9, 7, 5, 3, 123_456, tzinfo=UTC)
NOON = datetime(2024, 12, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "morning", "noon"),
    [
        ("yyyyMMdd", "20240209", "20241231"),
        ("yyyyMMddHH", "2024020907", "2024123112"),
        ("yyyy-MM-dd--HH", "2024-02-09--07", "2024-12-31--12"),
        ("yyyy-MM-dd'T'HH", "2024-02-09T07", "2024-12-31T12"),
        ("'dt='yyyy-MM-dd/'hour='HH", "dt=2024-02-09/hour=07", "dt=2024-12-31/hour=12"),
        ("y/M/d/H/m/s", "2024/2/9/7/5/3", "2024/12/31/12/0/0"),
        ("yy", "24", "24"),
        ("yyy", "2024", "2024"),
        ("yyyyy", "02024", "02024"),
        ("uuuu", "2024", "2024"),
        ("D", "40", "366"),
        ("DDD", "040", "366"),
        ("SSS", "123", "000"),
        ("SSSSSS", "123456", "000000"),
        ("S", "1", "0"),
        ("hh a", "07 AM", "12 PM"),
        ("h", "7", "12"),
        ("yyyyMMdd''HH", "20240209'07", "20241231'12"),
        ("'it''s'", "it's", "it's"),
        ("dd%HH", "09%07", "31%12"),
        ("dé", "9é", "31é"),
    ],
)
def test_a_pattern_writes_what_java_writes(pattern: str, morning: str, noon: str) -> None:
    made = pickle.loads(pickle.dumps(DatePattern.of(pattern)))
    assert (made.text(MORNING), made.text(NOON)) == (morning, noon)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("yyyy-EEE", r"has 'EEE'; known are y, u, M, "),
        ("mmm", "has too many letters 'm' in 'mmm'"),
        ("HHH", "too many letters"),
        ("SSSSSSSSSS", "too many letters"),
        ("yyyy#", "has '#', which stands for itself in quotes only"),
        ("yyyy{", "has '{'"),
        ("yyyy[MM]", r"has '\['"),
        ("yyyy'T", 'has a quote that is not closed: "\'T"'),
    ],
)
def test_a_pattern_that_cannot_be_written_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(ProgramError, match=f"the date format .*{says}"):
        BucketAssigner.date_time_bucket_assigner(pattern)


class _At:
    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def current_processing_time(self) -> int:
        return self._now_ms

    def current_watermark(self) -> int:
        return 0

    def timestamp(self) -> int | None:
        return None


def test_buckets_follow_the_clock_in_their_zone() -> None:
    hours = BucketAssigner.date_time_bucket_assigner("yyyyMMdd/HH", "Asia/Tokyo")
    assert [hours.get_bucket_id(None, _At(ms)) for ms in (0, 999, 3_600_000)] == [
        "19700101/09",
        "19700101/09",
        "19700101/10",
    ]
    thousandths = BucketAssigner.date_time_bucket_assigner("ss.SSS", "UTC")
    assert [thousandths.get_bucket_id(None, _At(ms)) for ms in (1, 2, 1_002)] == [
        "00.001",
        "00.002",
        "01.002",
    ]
