"""Layouts as log4j writes them."""

import logging
import sys
from datetime import UTC, datetime

import pytest

from penstock.errors import OptionError
from penstock.logs.patterns import PatternFormatter, date_writer


def record(
    message: str = "hello", level: int = logging.INFO, name: str = "org.acme.Shop"
) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "/src/shop.py", 12, message, (), None)
    made.created = datetime(2026, 3, 4, 5, 6, 7, 891_000, UTC).timestamp()
    made.job_id, made.operator, made.subtask = "abc", "count", 1
    return made


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d{yyyy-MM-dd HH:mm:ss,SSS}{UTC} %-5p", "2026-03-04 05:06:07,891 INFO "),
        ("%-15c %x - %m%n", "org.acme.Shop   abc count (2) - hello"),
        ("%d{ISO8601}{UTC}", "2026-03-04T05:06:07,891"),
        ("%d{HH:mm:ss.SSS}{Europe/Berlin}", "06:06:07.891"),
        ("%c{1} %c{2} %logger{1.}", "Shop acme.Shop o.a.Shop"),
        ("[%6.3p] [%.2c]", "[   NFO] [op]"),
        ("%F:%L %%", "shop.py:12 %"),
        ("%msg and %X{operator}/%X{subtask}/%X{flink-job-id}", "hello and count/1/abc"),
        ("%ms", "hellos"),
    ],
)
def test_conversions(pattern: str, text: str) -> None:
    assert PatternFormatter(pattern).format(record()) == text


def test_an_exception_stands_below_the_record_unless_the_pattern_places_it() -> None:
    failed = record()
    try:
        raise ValueError("broken")
    except ValueError:
        failed.exc_info = sys.exc_info()
    below = PatternFormatter("%m%n").format(failed)
    assert below.startswith("hello\nTraceback") and below.endswith("ValueError: broken")
    assert PatternFormatter("%m%throwable|").format(failed).endswith("ValueError: broken|")


def test_levels_have_the_names_of_log4j() -> None:
    texts = [PatternFormatter("%p").format(record(level=level)) for level in (5, 10, 20, 30, 40, 50)]
    assert texts == ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("%q", "%q, which is not supported"),
        ("%X{nonsense}", "nothing of"),
        ("%d{Nowhere/At}{Mars/Base}", "date|zone"),
    ],
)
def test_what_is_not_supported_is_named(pattern: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        PatternFormatter(pattern)


def test_dates_of_java() -> None:
    when = datetime(2026, 12, 5, 16, 7, 8, 9_000, UTC)
    write = date_writer
    assert write("EEE, dd MMM yy hh:mm a")(when) == "Sat, 05 Dec 26 04:07 PM"
    assert write("yyyy.MM.dd 'at' HH 'o''clock' SSSSSS")(when) == "2026.12.05 at 16 o'clock 009000"
