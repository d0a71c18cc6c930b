"""JSON as objects of the user's own classes: every field is of the type of its annotation, wherever it stands."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pydantic
import pytest

from penstock.connectors.files.source import FileSource
from penstock.data.time import Instant
from penstock.errors import OutsideError, ProgramError
from penstock.formats.bad_records import BadRecord
from penstock.formats.json import JsonDeserializationSchema, JsonLinesFormat, JsonSerializationSchema
from tests.connectors.driving import read_all


class Colour(Enum):
    """A closed set."""

    RED = "r"
    BLUE = 2


class Place(NamedTuple):
    """A NamedTuple inside of a dataclass."""

    x: int
    y: float


class Mark(pydantic.BaseModel):
    """A model inside of a dataclass."""

    value: Decimal


@dataclass
class Item:
    """A part."""

    n: int
    name: str = "none"


@dataclass
class Order:
    """Parts in all the places where parts stand."""

    one: Item
    maybe: Item | None = None
    many: list[Item] = field(default_factory=list)
    maybe_many: list[Item] | None = None
    by_name: dict[str, Item] = field(default_factory=dict)
    pair: tuple[Item, int] | None = None
    deep: dict[str, list[Item]] | None = None
    parent: "Order | None" = None
    anything: Any = None


@dataclass
class Plain:
    """Values that JSON has texts and numbers for."""

    price: Decimal = Decimal(0)
    day: date | None = None
    at: datetime | None = None
    moment: Instant | None = None
    colour: Colour = Colour.RED
    place: Place | None = None
    mark: Mark | None = None
    raw: bytes = b""


def read(message: str, kind: type = Order) -> Any:
    return JsonDeserializationSchema(kind).deserialize(message.encode())


def test_parts_become_objects_wherever_they_stand() -> None:
    item = '{"n":1,"name":"a","unknown":0}'
    made = Item(1, "a")
    assert read(f'{{"one":{item},"maybe":{item},"many":[{item}],"maybe_many":[{item}]}}') == Order(
        made, made, [made], [made]
    )
    assert read(
        f'{{"one":{item},"by_name":{{"k":{item}}},"pair":[{item},7],"deep":{{"k":[{item}]}}}}'
    ) == Order(made, by_name={"k": made}, pair=(made, 7), deep={"k": [made]})
    assert read(f'{{"one":{item},"parent":{{"one":{item},"parent":{{"one":{item}}}}}}}') == Order(
        made, parent=Order(made, parent=Order(made))
    )
    assert read(f'{{"one":{item},"anything":{{"n":1.5}}}}').anything == {"n": 1.5}


def test_texts_and_numbers_become_what_the_annotations_say() -> None:
    found = read(
        '{"price":0.1234567890123456789012,"day":"2024-02-29","at":"2024-02-29T01:02:03+02:00",'
        '"moment":"1970-01-01T00:00:01Z","colour":2,"place":{"x":1,"y":2},"mark":{"value":1.50},"raw":"AP8="}',
        Plain,
    )
    assert found == Plain(
        Decimal("0.1234567890123456789012"),
        date(2024, 2, 29),
        datetime.fromisoformat("2024-02-29T01:02:03+02:00"),
        Instant(1, 0),
        Colour.BLUE,
        Place(1, 2.0),
        Mark(value=Decimal("1.50")),
        b"\x00\xff",
    )
    assert type(found.place.y) is float
    assert read('{"colour":"BLUE"}', Plain).colour is Colour.BLUE
    assert read('{"colour":"r","price":7}', Plain) == Plain(Decimal(7), colour=Colour.RED)


def test_objects_come_back_from_what_is_written_of_them() -> None:
    plain = Plain(Decimal("1.25"), date(2024, 2, 29), moment=Instant(1, 5), colour=Colour.BLUE)
    order = Order(Item(1), many=[Item(2)], by_name={"k": Item(3)}, parent=Order(Item(4)))
    write = JsonSerializationSchema().serialize
    for value in (plain, order):
        assert JsonDeserializationSchema(type(value)).deserialize(write(value)) == value


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ('{"one":{"n":"no"}}', "expected an integer in field one.n, got 'no' of type str"),
        ('{"one":{"n":null}}', "expected an integer in field one.n, got None"),
        ('{"one":{"n":true}}', "expected an integer in field one.n, got True of type bool"),
        ('{"one":{"n":1},"many":[{"n":false}]}', r"expected an integer in field many\[\].n, got False"),
        ('{"one":5}', "an object with the fields of Item is expected, not 5"),
        (
            '{"one":{"n":1},"by_name":{"k":{"n":[]}}}',
            r"expected an integer in field by_name\[value\].n, got ",
        ),
        ('{"one":{"n":1},"many":{}}', "expected a list in field many"),
        ('{"one":{"n":1},"pair":[{"n":1}]}', "in field pair"),
        (
            '{"one":{"n":1},"parent":{"one":{"n":1},"parent":{"one":{"n":"x"}}}}',
            "in field parent.parent.one.n",
        ),
        ('{"one":{}}', "missing 1 required positional argument: 'n'"),
        ("[]", "an object with the fields of Order is expected"),
        ("null", "an object"),
    ],
)
def test_a_field_of_another_type_is_named(message: str, says: str) -> None:
    with pytest.raises(OutsideError, match=says):
        read(message)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ('{"price":"x"}', "a decimal number is expected, not 'x' in field price"),
        ('{"price":NaN}', "a decimal number is expected, not nan in field price"),
        ('{"price":true}', "in field price, got True"),
        ('{"day":"2024-02-30"}', "day is out of range for month in field day"),
        ('{"at":5}', "in field at, got 5"),
        ('{"colour":"GREEN"}', "expected one of RED, BLUE of Colour in field colour"),
        ('{"place":{"x":1.5,"y":1}}', "in field place.x"),
        ('{"mark":{"value":"x"}}', "in field mark"),
    ],
)
def test_a_text_that_stands_for_nothing_is_named(message: str, says: str) -> None:
    with pytest.raises(OutsideError, match=says):
        read(message, Plain)


def test_bad_objects_in_files_are_bad_records(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text('{"n":1}\n{"n":"no"}\n' + "[" * 100_000 + '\n{"n":2}\n')
    bad: list[BadRecord] = []
    source = FileSource.for_record_stream_format(JsonLinesFormat(Item, bad.append), path).build()
    assert read_all(source) == [Item(1), Item(2)]
    assert [record.line for record in bad] == [2, 3]
    assert "expected an integer in field n, got 'no' of type str" in bad[0].reason
    assert bad[1].reason == "it is nested too deeply"


def test_what_is_no_class_with_fields_is_refused() -> None:
    for target in (int, "Item", Colour, object):
        with pytest.raises(ProgramError, match="NamedTuples, dataclasses or pydantic models, not"):
            JsonLinesFormat(target)
