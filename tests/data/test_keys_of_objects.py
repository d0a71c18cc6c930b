"""Keys that are objects: equal ones have one hash and the same bytes, whatever makes them equal."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import attrs
import pydantic
import pytest

from penstock.data.keys import key_group, stable_hash
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import KeyNotUsable
from penstock.state.rocksdb.key_bytes import to_bytes


class Model(pydantic.BaseModel, frozen=True):
    a: int
    b: int = 2

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def doubled(self) -> int:
        return 2 * self.a


class OpenModel(pydantic.BaseModel, frozen=True, extra="allow"):
    a: int = 1


class SubModel(Model, frozen=True):
    c: tuple[int, ...] = ()


@attrs.frozen
class Attrs:
    a: int
    note: str = attrs.field(default="", eq=False)
    name: str = attrs.field(default="x", eq=str.lower)


@attrs.frozen(slots=False)
class AllCompared:
    a: int
    b: str


@dataclass(frozen=True)
class Fields:
    a: int
    note: str = field(default="", compare=False)


class Own:
    def __init__(self, content: Any) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left: Any, right: Any) -> None:
        self.left, self.right = left, right

    def _key(self) -> Any:
        return (self.left, self.right)

    def __eq__(self, other: object) -> bool:
        return type(other) is Slotted and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


class AllOfIt:
    def __init__(self, **content: Any) -> None:
        self.__dict__ |= content

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return len(vars(self))


@pytest.mark.parametrize(
    "same",
    [
        [Model(a=1), Model(a=1, b=2), Model.model_construct(a=1, b=2)],
        [OpenModel(a=1), OpenModel()],
        [OpenModel(x=1), OpenModel(a=1, x=1)],  # type: ignore[call-arg]
        [SubModel(a=1), SubModel(a=1, c=())],
        [Attrs(1), Attrs(1, "noted"), Attrs(1, "other", "X")],
        [AllCompared(1, "x"), AllCompared(1.0, "x")],  # type: ignore[arg-type]
        [Fields(1), Fields(1, "noted")],
        [Own(1), Own(1.0)],
        [Slotted(1, 2), Slotted(1.0, 2)],
        [AllOfIt(a=1, b=2), AllOfIt(b=2, a=1)],
        [(1, Model(a=1)), (1, Model(a=1, b=2))],
    ],
    ids=repr,
)
def test_equal_objects_have_one_hash_and_the_same_bytes(
    same: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert all(key == same[0] and hash(key) == hash(same[0]) for key in same)
    assert len({stable_hash(key) for key in same}) == 1
    assert len(set(map(to_bytes, same))) == 1
    assert caplog.text == ""


def test_equal_keys_of_several_processes_are_counted_together() -> None:
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)
    keys: list[Any] = [Model(a=1), Model(a=1, b=2), Attrs(1, "noted"), Attrs(1, "", "X")] * 10
    records = env.from_collection(keys).rebalance().map(lambda key: (key, 1))
    counts = records.key_by(lambda record: record[0]).reduce(lambda one, two: (one[0], one[1] + two[1]))
    with counts.execute_and_collect() as results:
        assert sorted(count for _, count in results) == sorted([*range(1, 21)] * 2)


def test_objects_that_differ_have_other_hashes_and_bytes() -> None:
    keys = [
        Model(a=1), Model(a=2), Model(a=1, b=3), SubModel(a=1), OpenModel(a=1), OpenModel(a=1, b=2),  # type: ignore[call-arg]
        Attrs(1), Attrs(2), Attrs(1, "", "y"), Fields(1), Fields(2), Own(1), Slotted(1, 2), Slotted(2, 1), AllOfIt(a=1),
    ]  # fmt: skip
    assert len({stable_hash(key) for key in keys}) == len(set(map(to_bytes, keys))) == len(keys)


def test_the_hashes_of_objects_are_those_that_older_savepoints_were_written_with() -> None:
    keys = [
        Model(a=1, b=2), OpenModel(a=1, x=3), AllCompared(1, "x"), Own((1, "x")), Slotted(1, "x"), AllOfIt(a=1),  # type: ignore[call-arg]
        ip_address("10.0.0.1"),
    ]  # fmt: skip
    assert [key_group(key, 32768) for key in keys] == GROUPS_WRITTEN


GROUPS_WRITTEN = [12161, 19014, 28747, 19077, 31371, 14725, 8208]


class Noted(Own):
    def __init__(self, content: Any, note: str) -> None:
        super().__init__(content)
        self.note = note


class Caching(Own):
    __slots__ = ()

    def text(self) -> str:
        if not hasattr(self, "_text"):
            self._text = str(self.content)
        return self._text


def used(key: Caching) -> Caching:
    assert key.text()
    return key


@pytest.mark.parametrize(
    "key", [Noted(1, "a"), used(Caching(1)), (1, Noted(1, ""))], ids=["note", "cache", "inside"]
)
def test_an_object_that_holds_more_than_its_eq_looks_at_is_refused(key: Any) -> None:
    for made in (stable_hash, to_bytes):
        with pytest.raises(
            KeyNotUsable, match=r"__eq__ does not look at (note|_text), so .*frozen dataclass"
        ):
            made(key)


def lower_case() -> Any:
    class LowerCase:
        def __init__(self, name: str) -> None:
            self.name = name

        def __eq__(self, other: object) -> bool:
            return isinstance(other, LowerCase) and self.name.lower() == other.name.lower()

        def __hash__(self) -> int:
            return hash(self.name.lower())

    return LowerCase("A")


def of_ten() -> Any:
    class OfTen:
        def __init__(self, number: int) -> None:
            self.number = number

        def __eq__(self, other: object) -> bool:
            return type(other) is OfTen and self.number // 10 == other.number // 10

        def __hash__(self) -> int:
            return self.number // 10

    return OfTen(1)


def of_a_subclass() -> Any:
    class Sub(Own):
        pass

    return Sub(1)


@pytest.mark.parametrize("make", [lower_case, of_ten, of_a_subclass])
def test_a_class_whose_eq_may_take_different_values_for_equal_is_warned_of_once(
    make: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    key = make()
    with caplog.at_level(logging.WARNING):
        assert stable_hash(key) == stable_hash(key)
    (record,) = caplog.records
    assert type(key).__qualname__ in record.getMessage()
    assert "all that pickle saves" in record.getMessage()
