"""Declared types of objects of the user's own classes."""

import datetime as d
import pickle
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

import numpy
import pydantic
import pytest

from penstock.data.row import Row
from penstock.data.types import Types as T
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import JobFailed, ProgramError, TypeMismatch


class Colour(Enum):
    RED = 1
    BLUE = 2


class Point(NamedTuple):
    x: float
    label: str | None


class Model(pydantic.BaseModel):
    n: int
    tags: list[str]


@dataclass
class Item:
    id: int
    name: str
    colour: Colour
    price: Decimal
    day: d.date
    where: Point
    counts: dict[str, int]
    pair: tuple[int, str]
    note: str | None = None
    anything: Any = None
    parent: "Item | None" = None


@dataclass(frozen=True)
class Small:
    n: int
    made: int = field(init=False, default=7)


POINT = Point(1.5, "a")
FULL = Item(1, "cup", Colour.RED, Decimal("2.50"), d.date(2024, 2, 29), POINT, {"k": 1}, (1, "x"))


def changed(**fields: Any) -> Item:
    return Item(**{**FULL.__dict__, **fields})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (T.POJO(Item), FULL),
        (T.POJO(Point), POINT),
        (T.POJO(Model), Model(n=1, tags=["a"])),
        (T.POJO(Small), Small(1)),
    ],
)
def test_objects_that_fit_come_back_in_the_very_same_list_also_with_a_pickled_type(
    kind: Any, value: Any
) -> None:
    values = [value, value]
    assert kind.convert_batch(values) is values
    twin = pickle.loads(pickle.dumps(kind))
    assert twin == kind and hash(twin) == hash(kind) and str(twin) == str(kind)
    assert twin.convert_batch(values) is values


def test_the_text_of_a_type_names_class_and_fields() -> None:
    assert str(T.POJO(Point)) == "PojoType<Point, fields = [x: Double, label: String]>"
    assert str(T.ENUM(Colour)) == "EnumTypeInfo<Colour>"
    assert T.POJO(Item).get_field_names()[:3] == ["id", "name", "colour"]
    assert T.POJO(Item).get_field_types()[2] == T.ENUM(Colour)
    assert T.POJO(Point) != T.POJO(Point, {"x": T.FLOAT()})


def test_scalars_of_numpy_become_numbers_of_python_in_copies_of_the_objects() -> None:
    given = Point(numpy.float32(0.5), "a")  # type: ignore[arg-type]
    (made,) = T.POJO(Point).convert_batch([given])
    assert made == Point(0.5, "a") and type(made.x) is float and type(given.x) is numpy.float32
    (item,) = T.POJO(Item).convert_batch([changed(id=numpy.int64(9), where=given)])
    assert type(item.id) is int and type(item.where.x) is float
    model = Model.model_construct(n=numpy.int8(3), tags=[])
    assert type(T.POJO(Model).convert(model).n) is int
    assert T.POJO(Small, {"n": T.INT()}).convert(Small(numpy.int64(4))) == Small(4)


def test_dicts_and_rows_with_the_names_of_the_fields_become_objects() -> None:
    kind = T.POJO(Point)
    assert kind.convert_batch([{"x": 1.0, "label": None}, Row(x=2.0, label="b")]) == [
        Point(1.0, None),
        Point(2.0, "b"),
    ]
    assert T.POJO(Model).convert({"n": "5", "tags": ["a"]}) == Model(n=5, tags=["a"])
    assert T.ENUM(Colour).convert_batch(["RED", Colour.BLUE]) == [Colour.RED, Colour.BLUE]


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (changed(id="1"), "expected an integer in field id, got '1' of type str"),
        (changed(name=None), "expected a str in field name, got None"),
        (changed(colour=3), "expected one of RED, BLUE of Colour in field colour, got 3 of type int"),
        (changed(price=1.5), "expected an object of Decimal in field price, got 1.5 of type float"),
        (changed(day="2024"), "expected an object of date in field day, got '2024' of type str"),
        (changed(where=Point("x", None)), "expected a number in field where.x, got 'x' of type str"),  # type: ignore[arg-type]
        (changed(counts={"k": "v"}), r"in field counts\[value\], got 'v' of type str"),
        (changed(pair=(1, 2)), "expected a str in field pair.f1, got 2 of type int"),
        ({"id": 1}, r"expected the fields of Item \(.*missing"),
        (5, "expected an object of Item, got 5 of type int"),
    ],
)
def test_a_field_of_the_wrong_type_is_named_with_what_was_expected_and_got(value: Any, part: str) -> None:
    with pytest.raises(TypeMismatch, match=f"PojoType<Item, .*{part}"):
        T.POJO(Item).convert(value)


def test_types_of_what_is_no_such_class_are_refused() -> None:
    for kind in (int, FULL, dict[str, int]):
        with pytest.raises(ProgramError, match="takes a dataclass, a NamedTuple or a pydantic model"):
            T.POJO(kind)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="Point has no field 'z'; it has x, label"):
        T.POJO(Point, {"z": T.INT()})
    with pytest.raises(ProgramError, match="takes a class of enum"):
        T.ENUM(int)  # type: ignore[type-var]


def test_a_job_checks_declared_objects_and_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    points = env.from_collection([POINT]).map(lambda p: p._replace(x=p.x * 2), T.POJO(Point))
    points.print()
    points.map(lambda p: Colour.RED, T.ENUM(Colour)).print()
    env.execute()
    assert sorted(capsys.readouterr().out.splitlines()) == ["Colour.RED", "Point(x=3.0, label='a')"]
    wrong = env.from_collection([POINT]).map(lambda p: p._replace(x="x"), T.POJO(Point))
    with (
        pytest.raises(JobFailed, match="expected a number in field x, got 'x' of type str"),
        wrong.execute_and_collect() as rows,
    ):
        list(rows)
