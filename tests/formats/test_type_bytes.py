"""Values of declared types as bytes, which are those that the serializers of Apache Flink 2.3 wrote for these values."""

import datetime as d
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.common.serialization import TypeInformationSerializationSchema
from penstock.data.row import Row, RowKind
from penstock.data.time import Instant
from penstock.data.type_scalars import LocalTimeTypeInfo
from penstock.data.types import Types as T
from penstock.errors import OutsideError, ProgramError, TypeMismatch

PAIR = T.ROW([T.INT(), T.STRING()])
OF_FLINK = [
    (T.INT(), 5, "00000005"),
    (T.INT(), -2, "fffffffe"),
    (T.LONG(), 2**40 + 1, "0000010000000001"),
    (T.BOOLEAN(), True, "01"),
    (T.DOUBLE(), 1.5, "3ff8000000000000"),
    (T.STRING(), "aé✓", "0461e901934e"),
    (T.STRING(), "", "01"),
    (T.STRING(), "x" * 200, "c901" + "78" * 200),
    (T.STRING(), "😀", "03bdb00380bc03"),
    (T.BIG_INT(), 123456789012345678901234567890, "00000011018ee90ff6c373e0ee4e3f0ad2"),
    (T.BIG_INT(), -300, "00000006fed4"),
    (T.BIG_DEC(), Decimal("1.50"), "00000006009600000002"),
    (T.BIG_DEC(), Decimal(0), "0000000100000000"),
    (T.BIG_DEC(), Decimal(1), "0000000200000000"),
    (T.BIG_DEC(), Decimal(10), "0000000300000000"),
    (T.BIG_DEC(), Decimal("0.00"), "0000000100000002"),
    (T.BIG_DEC(), Decimal("-123.456"), "00000007fe1dc000000003"),
    (T.TUPLE([T.INT(), T.STRING()]), (5, "a"), "000000050261"),
    (PAIR, Row.of_kind(RowKind.DELETE, 5, "a"), "c0000000050261"),
    (T.ROW([T.INT()]), Row.of_kind(RowKind.UPDATE_BEFORE, 5), "8000000005"),
    (T.ROW([T.INT()]), Row.of_kind(RowKind.UPDATE_AFTER, 5), "4000000005"),
    (
        T.ROW([T.INT()] * 9),
        Row(1, 2, 3, 4, 5, 6, 7, None, None),
        "006000000001000000020000000300000004000000050000000600000007",
    ),
    (T.LIST(T.INT()), [1, 2], "000000020000000100000002"),
    (T.LIST(T.ROW([T.INT()])), [Row(1), Row(None)], "00000002000000000120"),
    (T.MAP(T.STRING(), T.INT()), {"a": 1, "b": None}, "0000000202610000000001026201"),
    (T.SQL_DATE(), d.date(1970, 1, 4), "000000000f731400"),
    (T.SQL_TIME(), d.time(1, 2, 3, 4000), "000000000038cefc"),
    (T.SQL_TIMESTAMP(), d.datetime(1970, 1, 1, 0, 0, 1, 500000), "00000000000005dc1dcd6500"),  # noqa: DTZ001
    (T.INSTANT(), Instant(5, 7), "000000000000000500000007"),
    (T.PRIMITIVE_ARRAY(T.INT()), [1, 2], "000000020000000100000002"),
    (T.PRIMITIVE_ARRAY(T.BOOLEAN()), [True, False], "000000020100"),
    (T.PRIMITIVE_ARRAY(T.BYTE()), b"\x01\x02\xff", "000000030102ff"),
    (T.BASIC_ARRAY(T.INT()), [1, None, 3], "000000030100000001000100000003"),
    (T.BASIC_ARRAY(T.STRING()), ["a", None], "00000002026100"),
    (T.OBJECT_ARRAY(T.TUPLE([T.INT()])), [(1,), None], "00000002010000000100"),
]


@pytest.mark.parametrize(("kind", "value", "written"), OF_FLINK)
def test_a_value_is_written_as_flink_writes_it_and_read_back(kind: Any, value: Any, written: str) -> None:
    schema = pickle.loads(pickle.dumps(TypeInformationSerializationSchema(kind)))
    assert schema.serialize(value).hex() == written
    back = schema.deserialize(bytes.fromhex(written))
    assert back == kind.convert(value)
    if isinstance(value, Row):
        assert back.get_row_kind() is value.get_row_kind()
    assert schema.get_produced_type() == kind


def test_long_forms_of_numbers_that_have_a_short_one_are_read() -> None:
    schema = TypeInformationSerializationSchema(T.BIG_INT())
    assert [schema.deserialize(bytes.fromhex(f"00000005{n:02x}")) for n in (0, 1, 10)] == [0, 1, 10]


@pytest.mark.parametrize(
    "kind",
    [T.STRING(), T.BIG_INT(), T.BIG_DEC(), T.SQL_DATE(), T.SQL_TIME(), T.SQL_TIMESTAMP(), T.INSTANT()],
)
def test_none_comes_back_from_types_that_know_it(kind: Any) -> None:
    schema = TypeInformationSerializationSchema(kind)
    assert schema.deserialize(schema.serialize(None)) is None


ALL = T.TUPLE(
    [
        T.BYTE(),
        T.SHORT(),
        T.FLOAT(),
        T.CHAR(),
        T.BIG_INT(),
        T.BIG_DEC(),
        T.STRING(),
        T.SQL_TIMESTAMP(),
        T.MAP(T.LONG(), T.LIST(T.DOUBLE())),
        T.PICKLED_BYTE_ARRAY(),
    ]
)


@given(
    st.tuples(
        st.integers(-128, 127),
        st.integers(-(2**15), 2**15 - 1),
        st.floats(width=32, allow_nan=False),
        st.characters(max_codepoint=0xD7FF),
        st.none() | st.integers(),
        st.none() | st.decimals(allow_nan=False, allow_infinity=False),
        st.none() | st.text(),
        st.none() | st.datetimes().map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)),
        st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.lists(st.floats(allow_nan=False))),
        st.none() | st.sets(st.integers()),
    )
)
def test_any_value_comes_back(value: Any) -> None:
    schema = TypeInformationSerializationSchema(ALL)
    assert schema.deserialize_batch(schema.serialize_batch([value])) == [value]


@given(st.binary(max_size=40))
def test_bytes_are_refused_or_are_a_value_that_can_be_written(message: bytes) -> None:
    kind = T.ROW([T.STRING(), T.LIST(T.INT()), T.BIG_DEC(), T.SQL_DATE(), T.PRIMITIVE_ARRAY(T.BYTE())])
    schema = TypeInformationSerializationSchema(kind)
    try:
        value = schema.deserialize(message)
    except OutsideError:
        return
    assert len(schema.serialize(value)) <= len(
        message
    )  # a number may have been written longer than it has to be


def test_what_is_left_behind_a_value_and_what_has_no_form_is_told() -> None:
    with pytest.raises(OutsideError, match="1 bytes are left behind a value of type Integer"):
        TypeInformationSerializationSchema(T.INT()).deserialize(b"\x00\x00\x00\x05\x06")
    with pytest.raises(TypeMismatch, match="expected an integer from"):
        TypeInformationSerializationSchema(T.INT()).serialize("5")
    with pytest.raises(ProgramError, match=r"LocalTimeTypeInfo.* has no binary form"):
        TypeInformationSerializationSchema(LocalTimeTypeInfo(LocalTimeTypeInfo.TimeType.LOCAL_DATE))
    with pytest.raises(ProgramError, match="a type of Types is expected"):
        TypeInformationSerializationSchema(int)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="None cannot be written among"):
        TypeInformationSerializationSchema(T.LIST(T.INT())).serialize([None])
