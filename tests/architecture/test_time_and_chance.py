"""A run can be repeated only if every clock and every die in it comes from outside."""

import re

import pytest

from tests.architecture.source_tree import SourceFile, read_files

READS_OR_WAITS_FOR_THE_CLOCK = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time|thread_time)(_ns)?|time\.sleep"
    r"|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
)
ROLLS_DICE = re.compile(r"(random|secrets|numpy\.random)(\..*)?|os\.(urandom|getrandom)|uuid\.uuid[14678]")


def find_offenders(pattern: re.Pattern[str], files: tuple[SourceFile, ...]) -> list[str]:
    return [
        f"{file.path}:{line} {name}"
        for file in files
        for name, line in file.find_uses()
        if pattern.fullmatch(name)
    ]


def test_only_the_clock_reads_the_time_and_waits() -> None:
    others = tuple(file for file in read_files("penstock") if file.path != "penstock/clock.py")
    assert find_offenders(READS_OR_WAITS_FOR_THE_CLOCK, others) == []


def test_only_chance_and_identifiers_are_random() -> None:
    allowed = {"penstock/chance.py", "penstock/ids.py"}
    others = tuple(file for file in read_files("penstock") if file.path not in allowed)
    assert find_offenders(ROLLS_DICE, others) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "import time as t\nnow = t.monotonic_ns",
        "from time import sleep",
        "from time import perf_counter as tick",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.utcnow()",
        "from datetime import date as day\nday.today()",
    ],
)
def test_every_way_to_read_the_clock_is_seen(text: str) -> None:
    assert len(find_offenders(READS_OR_WAITS_FOR_THE_CLOCK, (SourceFile("x.py", text),))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import random",
        "from secrets import token_hex",
        "import os\nos.urandom(4)",
        "import uuid as u\nu.uuid4()",
    ],
)
def test_every_way_to_roll_dice_is_seen(text: str) -> None:
    assert len(find_offenders(ROLLS_DICE, (SourceFile("x.py", text),))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.gmtime(0)",
        "from datetime import datetime\ndatetime.fromtimestamp(0)",
        "import uuid\nuuid.UUID(int=1)",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from random import Random",
    ],
)
def test_formatting_a_time_holding_an_identifier_and_annotations_are_allowed(text: str) -> None:
    files = (SourceFile("x.py", text),)
    assert find_offenders(READS_OR_WAITS_FOR_THE_CLOCK, files) + find_offenders(ROLLS_DICE, files) == []
