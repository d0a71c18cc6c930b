"""Keys: equal values have one hash, everywhere; what cannot be a key is refused by name."""

import enum
import importlib.util
import os
import subprocess
import sys
from collections import Counter, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.keys import (
    KeyRouter,
    default_max_parallelism,
    key_group,
    key_group_range,
    stable_hash,
    subtask_of_key_group,
)
from penstock.data.row import Row
from penstock.errors import KeyNotUsable, ProgramError
from tests.pythons.interpreters import VERSIONS, find_interpreter

LITERALS = [
    "0", "-1", "1 << 70", "2.5", "float('inf')", "float('nan')", "True", "None", "...", "''", "'penstock'",
    "'\\u00e9\\ud800'",
    "b''", "b'bytes'", "()", "(1, 'a', (None, 2.5))", "frozenset(['a', 'b', ('c', 1)])", "range(3, 9, 2)", "3 + 4j",
    "Decimal('1.10')", "Fraction(1, 3)", "datetime(2024, 2, 29, 12, 30, 1, 7)", "datetime(2024, 2, 29, tzinfo=timezone.utc)",
    "date(2024, 2, 29)", "time(23, 59)", "timedelta(days=-1, microseconds=3)", "UUID(int=12345678901234567890)",
    "PurePosixPath('a/b')", "ipaddress.ip_address('10.0.0.1')", "Colour.RED", "Point(1, 'x')", "Own([1, {'a': {2}}])", "int",
]  # fmt: skip

PROGRAM = """
import enum, ipaddress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID
from penstock.data.keys import stable_hash

class Colour(enum.Enum):
    RED = [1]

@dataclass(frozen=True)
class Point:
    x: int
    name: str

class Own:
    def __init__(self, content): self.content = content
    def __eq__(self, other): return isinstance(other, Own) and self.content == other.content
    def __hash__(self): return 7

print([stable_hash(value) for value in (%s)])
""" % ", ".join(LITERALS)  # noqa: UP031


def hashes_in(python: str, seed: str) -> list[int]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [python, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=False, timeout=120
    )
    assert done.returncode == 0, f"{python}: {done.stderr}"
    return [int(part) for part in done.stdout.strip("[]\n").split(", ")]


def test_every_process_and_every_version_of_python_computes_the_same_hashes() -> None:
    expected = hashes_in(sys.executable, "0")
    assert len(set(expected)) == len(LITERALS)
    assert hashes_in(sys.executable, "1") == expected
    for python in filter(None, map(find_interpreter, VERSIONS)):
        print("compared with", python)
        assert hashes_in(python, "random") == expected, python


def test_the_hashes_are_those_that_older_savepoints_were_written_with() -> None:
    keys = [0, -1, 2.5, "", "penstock", b"", b"x", (), (1, "a"), None, frozenset({1, "a"}), date(2024, 2, 29)]
    assert [key_group(key, 32768) for key in keys] == GROUPS_WRITTEN


GROUPS_WRITTEN = [0, 2306, 17371, 20178, 14645, 10432, 9068, 1489, 25331, 23160, 23988, 21758]


class Number(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum):
    A = "a"


class Pair(NamedTuple):
    left: int
    right: str


class Plain(enum.Enum):
    RED = 1
    GREEN = 2


class Flags(enum.Flag):
    A = 1
    B = 2


class TextOfTheirOwn(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "something else"

    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        return b"something else"


@dataclass(frozen=True)
class Point:
    x: float
    name: str
    note: str = field(default="", compare=False)


class SpecialPoint(Point):
    pass


class Cached:
    """Compares one field, and remembers what it computes from it."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def upper(self) -> str:
        return self.name.upper()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cached) and self.name == other.name

    def __hash__(self) -> int:
        if "_hash" not in self.__dict__:
            self._hash = hash(self.name)
        return self._hash


def used(cached: Cached) -> Cached:
    assert cached.upper
    assert hash(cached) is not None
    return cached


IN_BERLIN = timezone(timedelta(hours=1), "Berlin")


@pytest.mark.parametrize(
    "same",
    [
        [1, 1.0, True, Decimal(1), Decimal("1.00"), Fraction(1), complex(1, 0), Number.ONE],
        [0, 0.0, -0.0, False, Decimal("-0")],
        [0.5, Fraction(1, 2), Decimal("0.5")],
        ["a", Word.A, TextOfTheirOwn("a")],
        [(1, "a"), (1.0, Word.A), Pair(1, "a"), namedtuple("P", "x y")(True, "a")],
        [b"ab", memoryview(b"ab")],
        [frozenset("abc"), frozenset("cba")],
        [range(0), range(5, 5)],
        [range(3, 4), range(3, 5, 7)],
        [datetime(2024, 6, 1, 12, tzinfo=UTC), datetime(2024, 6, 1, 13, tzinfo=IN_BERLIN)],
        [datetime(2024, 6, 1, 12, fold=1), datetime(2024, 6, 1, 12)],  # noqa: DTZ001
        [time(1, tzinfo=IN_BERLIN), time(0, tzinfo=UTC)],
        [timedelta(days=1), timedelta(hours=24)],
        [UTC, timezone(timedelta(0)), timezone(timedelta(0), "zero")],
        [UUID(int=5), UUID(hex="00000000000000000000000000000005")],
        [Path("a/b"), PurePosixPath("a", "b"), Path("a//b/")],
        [Point(1, "a"), Point(1.0, "a", "a note")],
        [SpecialPoint(1, "a"), SpecialPoint(1, "a")],
        [Row(1, "a"), Row(1.0, Word.A)],
        [Row(x=1, y="a"), Row(y="a", x=1)],
        [Cached("a"), used(Cached("a"))],
        [Plain.RED, Plain["RED"]],
        [Flags.A | Flags.B, Flags(3)],
    ],
    ids=repr,
)
def test_equal_keys_have_one_hash(same: list[Any]) -> None:
    assert all(key == same[0] for key in same)
    assert len({stable_hash(key) for key in same}) == 1


def test_scalars_of_columns_hash_as_the_python_values_they_equal() -> None:
    import pyarrow as pa

    assert stable_hash(pa.scalar("a")) == stable_hash("a")
    assert stable_hash(pa.scalar(7)) == stable_hash(7)
    if importlib.util.find_spec("numpy") is None:  # it is an extra of this package
        return
    import numpy as np

    pairs = [
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.str_("a"), "a"),
        (np.bytes_(b"a"), b"a"),
        (np.bool_(True), 1),
    ]
    instants = [np.datetime64("2024-01-01"), np.datetime64("2024-01-01T00:00:00.000000000")]
    for scalar, value in [*pairs, (np.float64(2.5), 2.5), (instants[0], instants[1])]:
        assert scalar == value
        assert stable_hash(scalar) == stable_hash(value)


def test_not_a_number_is_one_key_in_whatever_type() -> None:
    nans = [float("nan"), -float("nan"), Decimal("nan"), Decimal("sNaN"), complex(float("nan"), 1)]
    assert len({stable_hash(nan) for nan in nans}) == 1


def test_keys_of_different_kinds_that_look_alike_differ() -> None:
    keys = [
        "",
        b"",
        (),
        frozenset(),
        None,
        0,
        "0",
        b"0",
        (0,),
        ((0,),),
        frozenset({0}),
        Row(0),
        Plain.RED,
        Plain.GREEN,
        ...,
        range(0),
    ]
    assert len({stable_hash(key) for key in keys}) == len(keys)


class ByIdentity:
    pass


@dataclass
class Mutable:
    x: int


class Loop:
    def __init__(self) -> None:
        self.me = [self]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loop) and self.me == other.me

    def __hash__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("key", "type_name", "advice"),
    [
        ([1, 2], "list", "tuple(key)"),
        ({"a": 1}, "dict", "sorted(key.items())"),
        ({1}, "set", "frozenset(key)"),
        (bytearray(b"x"), "bytearray", "bytes(key)"),
        ((1, [2]), "list", "tuple(key)"),
        (Row(1, [2]), "list", "tuple(key)"),
        (Mutable(1), "Mutable", "frozen=True"),
        (object(), "object", "__eq__ and __hash__"),
        (ByIdentity(), "ByIdentity", "__eq__ and __hash__"),
        ((1, ByIdentity()), "ByIdentity", "frozen dataclass"),
        (lambda: 1, "function", "tuple of the fields"),
        (Loop(), "Loop", "contains itself"),
    ],
    ids=repr,
)
def test_what_cannot_be_a_key_is_refused_with_its_type_and_what_to_do(
    key: Any, type_name: str, advice: str
) -> None:
    with pytest.raises(KeyNotUsable) as caught:
        stable_hash(key)
    assert type_name in str(caught.value)
    assert advice in str(caught.value)
    with pytest.raises(KeyNotUsable):
        KeyRouter(128, 2).route(["fine", key])


def test_an_error_in_the_hash_of_a_users_class_is_reported_as_its_keys_fault() -> None:
    class Broken:
        def __eq__(self, other: object) -> bool:
            return False

        def __hash__(self) -> int:
            raise TypeError("no hash today")

    with pytest.raises(KeyNotUsable, match="no hash today"):
        KeyRouter(128, 2).route([Broken()])


atoms = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(allow_nan=False), st.text(max_size=3),
    st.binary(max_size=3),    st.decimals(allow_nan=False, places=1), st.fractions(max_denominator=3),
    st.datetimes(timezones=st.just(UTC)), st.dates(),
)  # fmt: skip
keys = st.recursive(
    atoms, lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.frozensets(inner, max_size=3))
)


def disguised(key: Any) -> Any:
    """An equal key of other types."""
    match key:
        case bool():
            return int(key)
        case int() if key.bit_length() < 50:
            return float(key)
        case float() if key == key and abs(key) != float("inf"):
            return Fraction(key)
        case Decimal() if key.is_finite():
            return Fraction(key)
        case datetime():
            return key.astimezone(IN_BERLIN) if 1 < key.year < 9999 else key
        case tuple():
            return tuple(map(disguised, key))
        case frozenset():
            return frozenset(map(disguised, key))
    return key


@given(keys, keys)
def test_equality_implies_equal_hashes(one: Any, two: Any) -> None:
    other = disguised(one)
    assert one == other
    assert stable_hash(one) == stable_hash(other)
    if one == two:
        assert stable_hash(one) == stable_hash(two)


@pytest.mark.parametrize(
    "make",
    [
        int, str, float, lambda i: i * 128, lambda i: i << 40, lambda i: i / 3, lambda i: f"user-{i:08}",
        lambda i: (i, "x"), lambda i: (i % 10, i // 10),
        lambda i: datetime.fromtimestamp(i * 3600, UTC), lambda i: i.to_bytes(8, "little"), lambda i: UUID(int=i << 64),
    ],
)  # fmt: skip
def test_keys_spread_evenly_over_the_groups(make: Callable[[int], Any]) -> None:
    counts = Counter(key_group(make(i), 128) for i in range(12_800))
    assert len(counts) == 128
    # Mean 100, standard deviation 10: the sum of squares of 127 degrees of freedom stays below 200 but once in 30000.
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < 200


@given(st.integers(1, 1000), st.data())
def test_ranges_of_subtasks_are_contiguous_and_agree_with_the_owner_of_each_group(
    most: int, data: st.DataObject
) -> None:
    parallelism = data.draw(st.integers(1, most))
    ranges = [key_group_range(most, parallelism, index) for index in range(parallelism)]
    assert [group for owned in ranges for group in owned] == list(range(most))
    for index, owned in enumerate(ranges):
        assert {subtask_of_key_group(most, parallelism, group) for group in owned} == {index}
    sizes = set(map(len, ranges))
    assert max(sizes) - min(sizes) <= 1


def test_the_default_maximum_parallelism_is_flinks() -> None:
    got = [default_max_parallelism(p) for p in (1, 2, 85, 86, 128, 171, 172, 1000, 21845, 21846, 40000)]
    assert got == [128, 128, 128, 256, 256, 256, 512, 2048, 32768, 32768, 32768]


def test_more_subtasks_than_key_groups_are_refused() -> None:
    with pytest.raises(ProgramError, match="maximum parallelism, 4"):
        KeyRouter(4, 5)
    with pytest.raises(ProgramError, match="32768"):
        key_group_range(40000, 1, 0)
    with pytest.raises(ProgramError, match="no subtask 2"):
        key_group_range(4, 2, 2)


@given(st.lists(keys), st.integers(1, 8))
def test_the_router_sends_each_key_to_the_owner_of_its_group_and_stays_bounded(
    routed: list[Any], parallelism: int
) -> None:
    router = KeyRouter(16, parallelism, most_keys=5)
    owners = [subtask_of_key_group(16, parallelism, key_group(key, 16)) for key in routed]
    assert router.route(routed) == owners
    assert list(map(router.__getitem__, routed)) == owners
    assert len(router) <= 5
