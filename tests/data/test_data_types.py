"""Types of SQL: their texts are PyFlink's, their parts are checked, and they become types of streams."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from penstock.data.logical_conversion import type_information_of
from penstock.data.types import Types
from penstock.errors import ProgramError
from penstock.table import DataTypes
from penstock.table.types import DataType, DayTimeIntervalType, RowField, RowType, YearMonthIntervalType

RECORDED: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "compatibility" / "pyflink_data_types.json").read_text()
)


def made(expression: str) -> Any:
    return eval(f"DataTypes.{expression}", {"DataTypes": DataTypes})


@pytest.mark.parametrize("expression", RECORDED)
def test_the_texts_of_a_type_are_those_of_pyflink(expression: str) -> None:
    found = made(expression)
    assert [repr(found), str(found)] == RECORDED[expression]
    assert found == made(expression)
    assert hash(found) == hash(made(expression))
    assert pickle.loads(pickle.dumps(found)) == found


def test_every_factory_of_pyflink_was_recorded() -> None:
    used = " ".join(RECORDED)
    factories = {name for name in vars(DataTypes) if name.isupper()}
    # Units are parts of intervals.
    assert {name for name in factories if f"{name}(" not in used} == {"MINUTE", "HOUR"}


def test_types_are_equal_only_when_all_in_them_is() -> None:
    kinds = [
        DataTypes.INT(),
        DataTypes.INT(nullable=False),
        DataTypes.BIGINT(),
        DataTypes.CHAR(1),
        DataTypes.VARCHAR(1),
        DataTypes.VARCHAR(2),
        DataTypes.ARRAY(DataTypes.INT()),
        DataTypes.ARRAY(DataTypes.BIGINT()),
        DataTypes.ROW([DataTypes.FIELD("a", DataTypes.INT())]),
        DataTypes.ROW([DataTypes.FIELD("a", DataTypes.INT(), "described")]),
        DataTypes.ROW([DataTypes.FIELD("b", DataTypes.INT())]),
    ]
    for index, kind in enumerate(kinds):
        assert [other for other, found in enumerate(kinds) if found == kind] == [index]


def test_nullability_is_changed_in_a_copy() -> None:
    number = DataTypes.INT()
    assert (number.is_nullable(), number.not_null().is_nullable(), number.is_nullable()) == (
        True,
        False,
        True,
    )
    assert number.not_null().nullable() == number
    assert number.bridged_to("java.lang.Integer") != number
    row = DataTypes.ROW([DataTypes.FIELD("a", number)])
    row.not_null().add("b", number)
    assert row.field_names() == ["a"]


def test_fields_of_a_row_are_found_by_name_position_and_slice() -> None:
    row = RowType().add("a", DataTypes.INT()).add(DataTypes.FIELD("b", DataTypes.STRING()))
    assert (row["b"], row[0].name, row[1:].names, len(row)) == (row[1], "a", ["b"], 2)
    assert [field.name for field in row] == row.field_names()
    assert row.field_types() == [DataTypes.INT(), DataTypes.STRING()]
    with pytest.raises(KeyError, match="no field 'c'; there are a, b"):
        row["c"]
    with pytest.raises(IndexError):
        row[2]


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        (DataTypes.YEAR(4), DataTypes.MONTH(), ("YEAR_TO_MONTH", 4)),
        (DataTypes.YEAR(3), None, ("YEAR", 3)),
        (DataTypes.MONTH(), None, ("MONTH", 2)),
        (DataTypes.DAY(5), DataTypes.HOUR(), ("DAY_TO_HOUR", 5, 6)),
        (DataTypes.DAY(), DataTypes.MINUTE(), ("DAY_TO_MINUTE", 2, 6)),
        (DataTypes.DAY(3), DataTypes.SECOND(9), ("DAY_TO_SECOND", 3, 9)),
        (DataTypes.HOUR(), DataTypes.SECOND(1), ("HOUR_TO_SECOND", 2, 1)),
        (DataTypes.HOUR(), DataTypes.MINUTE(), ("HOUR_TO_MINUTE", 2, 6)),
        (DataTypes.MINUTE(), None, ("MINUTE", 2, 6)),
        (DataTypes.SECOND(0), None, ("SECOND", 2, 0)),
    ],
    ids=str,
)
def test_an_interval_goes_from_one_unit_to_another(upper: Any, lower: Any, expected: tuple[Any, ...]) -> None:
    found = DataTypes.INTERVAL(upper, lower)
    if isinstance(found, YearMonthIntervalType):
        assert (found.resolution.name, found.precision) == expected
    else:
        assert isinstance(found, DayTimeIntervalType)
        assert (found.resolution.name, found.day_precision, found.fractional_precision) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DataTypes.DECIMAL(39, 2), "the precision is a whole number from 1 to 38, not 39"),
        (lambda: DataTypes.DECIMAL(5, 6), "the scale is a whole number from 0 to 5, not 6"),
        (lambda: DataTypes.VARCHAR(0), "the length is a whole number from 1 to 2147483647, not 0"),
        (lambda: DataTypes.TIMESTAMP(10), "the precision is a whole number from 0 to 9, not 10"),
        (lambda: DataTypes.INT("yes"), "nullable is True or False, not 'yes'"),  # type: ignore[arg-type]
        (lambda: DataTypes.ARRAY(Types.INT()), r"element type is one of DataTypes, as DataTypes.INT\(\), not Integer"),  # type: ignore[arg-type]
        (lambda: DataTypes.FIELD("a", int), "the type of the field 'a' is one of DataTypes"),  # type: ignore[arg-type]
        (lambda: DataTypes.FIELD(1, DataTypes.INT()), "the name of a field is a text, not 1"),  # type: ignore[arg-type]
        (lambda: DataTypes.ROW([DataTypes.INT()]), r"DataTypes.FIELD\(name, type\)"),  # type: ignore[list-item]
        (lambda: RowType().add("a"), "a name and a type, not 'a'"),
        (lambda: DataTypes.ROW([RowField("a", DataTypes.INT())] * 2), "a field 'a' already"),
        (lambda: DataTypes.INTERVAL(DataTypes.MONTH(), DataTypes.DAY()), "no interval MONTH TO DAY"),
        (lambda: DataTypes.INTERVAL(DataTypes.DAY(7)), "digits of days is a whole number from 1 to 6, not 7"),
        (lambda: DayTimeIntervalType(8, 3), "an interval without days has no digits of them"),
        (lambda: YearMonthIntervalType(9), "a resolution is one of YEAR, MONTH, YEAR_TO_MONTH, not 9"),
    ],
)  # fmt: skip
def test_what_no_type_can_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        make()


@pytest.mark.parametrize(
    ("data_type", "expected"),
    [
        (DataTypes.CHAR(2), Types.STRING()),
        (DataTypes.STRING(), Types.STRING()),
        (DataTypes.BOOLEAN(), Types.BOOLEAN()),
        (DataTypes.BINARY(3), Types.PRIMITIVE_ARRAY(Types.BYTE())),
        (DataTypes.BYTES(), Types.PRIMITIVE_ARRAY(Types.BYTE())),
        (DataTypes.DECIMAL(10, 2), Types.BIG_DEC()),
        (DataTypes.TINYINT(), Types.BYTE()),
        (DataTypes.SMALLINT(), Types.SHORT()),
        (DataTypes.INT(nullable=False), Types.INT()),
        (DataTypes.BIGINT(), Types.LONG()),
        (DataTypes.FLOAT(), Types.FLOAT()),
        (DataTypes.DOUBLE(), Types.DOUBLE()),
        (DataTypes.DATE(), Types.SQL_DATE()),
        (DataTypes.TIME(), Types.SQL_TIME()),
        (DataTypes.TIME(6), Types.LOCAL_TIME()),
        (DataTypes.TIMESTAMP(3), Types.SQL_TIMESTAMP()),
        (DataTypes.TIMESTAMP(), Types.LOCAL_DATE_TIME()),
        (DataTypes.TIMESTAMP_LTZ(), Types.INSTANT()),
        (DataTypes.ARRAY(DataTypes.INT()), Types.LIST(Types.INT())),
        (DataTypes.MAP(DataTypes.STRING(), DataTypes.INT()), Types.MAP(Types.STRING(), Types.INT())),
        (DataTypes.MULTISET(DataTypes.STRING()), Types.MAP(Types.STRING(), Types.INT())),
        (DataTypes.ROW([DataTypes.FIELD("a", DataTypes.INT())]), Types.ROW_NAMED(["a"], [Types.INT()])),
    ],
)
def test_a_type_of_sql_says_which_values_a_stream_has(data_type: DataType, expected: Any) -> None:
    found = type_information_of(data_type)
    assert (found, repr(found)) == (expected, repr(expected))


@pytest.mark.parametrize(
    "data_type",
    [DataTypes.NULL(), DataTypes.INTERVAL(DataTypes.DAY()), DataTypes.LIST_VIEW(DataTypes.INT())],
)
def test_a_type_that_no_stream_has_is_refused(data_type: DataType) -> None:
    with pytest.raises(ProgramError, match="a stream has no values of type"):
        type_information_of(data_type)
