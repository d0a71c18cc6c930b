"""Messages of Protobuf as objects and rows, and back."""

import pickle
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf import descriptor_pb2, timestamp_pb2
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.row import Row
from penstock.data.types import Types
from penstock.errors import OutsideError, ProgramError, TypeMismatch
from penstock.formats.protobuf import (
    ProtobufDeserializationSchema,
    ProtobufRowDeserializationSchema,
    ProtobufSerializationSchema,
)
from penstock.formats.protobuf_schema import ProtobufSchema

FIELD = descriptor_pb2.FieldDescriptorProto
SINGLE, MANY = FIELD.LABEL_OPTIONAL, FIELD.LABEL_REPEATED


def add(message: Any, name: str, kind: int, label: int = SINGLE, type_name: str = "") -> Any:
    field = message.field.add(name=name, number=len(message.field) + 1, type=kind, label=label)
    if type_name:
        field.type_name = type_name
    return field


def shop() -> bytes:
    """What protoc --descriptor_set_out writes for a file with an enum, nested, repeated, map and optional fields."""
    files = descriptor_pb2.FileDescriptorSet()
    file = files.file.add(name="shop.proto", package="shop", syntax="proto3")
    file.enum_type.add(name="State").value.add(name="OPEN", number=0)
    file.enum_type[0].value.add(name="PAID", number=1)
    item = file.message_type.add(name="Item")
    add(item, "name", FIELD.TYPE_STRING)
    add(item, "price", FIELD.TYPE_DOUBLE)
    order = file.message_type.add(name="Order")
    add(order, "id", FIELD.TYPE_INT64)
    add(order, "state", FIELD.TYPE_ENUM, type_name=".shop.State")
    add(order, "items", FIELD.TYPE_MESSAGE, MANY, ".shop.Item")
    add(order, "gift", FIELD.TYPE_MESSAGE, type_name=".shop.Item")
    add(order, "tags", FIELD.TYPE_STRING, MANY)
    add(order, "raw", FIELD.TYPE_BYTES)
    entry = order.nested_type.add(name="CountsEntry")
    entry.options.map_entry = True
    add(entry, "key", FIELD.TYPE_STRING)
    add(entry, "value", FIELD.TYPE_INT32)
    add(order, "counts", FIELD.TYPE_MESSAGE, MANY, ".shop.Order.CountsEntry")
    order.oneof_decl.add(name="_note")
    note = add(order, "note", FIELD.TYPE_STRING)
    note.proto3_optional = True
    note.oneof_index = 0
    add(order, "big", FIELD.TYPE_UINT64)
    tree = file.message_type.add(name="Tree")
    add(tree, "children", FIELD.TYPE_MESSAGE, MANY, ".shop.Tree")
    return files.SerializeToString()


ORDER = ProtobufSchema.from_descriptor_set(shop(), "shop.Order")
FULL = Row(
    id=7,
    state="PAID",
    items=[Row(name="cup", price=2.5), Row(name="jug", price=9.0)],
    gift=Row(name="bow", price=0.0),
    tags=["a", "b"],
    raw=b"\x00\xff",
    counts={"x": 1, "y": 2},
    note="",
    big=2**64 - 1,
)


class Reading(NamedTuple):
    seconds: int
    nanos: int


def test_rows_of_all_kinds_of_fields_come_back_also_through_a_pickle() -> None:
    write, read = pickle.loads(
        pickle.dumps((ProtobufSerializationSchema(ORDER), ProtobufRowDeserializationSchema(ORDER)))
    )
    assert read.deserialize_batch(write.serialize_batch([FULL, FULL])) == [FULL, FULL]
    assert str(read.get_produced_type()) == (
        "RowTypeInfo(id: Long, state: String, items: ListTypeInfo<RowTypeInfo(name: String, price: Double)>, "
        "gift: RowTypeInfo(name: String, price: Double), tags: ListTypeInfo<String>, "
        "raw: PrimitiveArrayTypeInfo<Byte>, counts: MapTypeInfo<String, Integer>, note: String, big: BigInteger)"
    )


@given(st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_number_and_text_comes_back_as_google_writes_it(n: int, s: str) -> None:
    message = ORDER.message_class(id=n, note=s).SerializeToString()
    assert ProtobufSerializationSchema(ORDER).serialize({"id": n, "note": s}) == message
    kind = Types.ROW_NAMED(["note", "id"], [Types.STRING(), Types.LONG()])
    assert ProtobufRowDeserializationSchema(ORDER, kind).deserialize(message) == Row(note=s, id=n)


def test_fields_that_are_not_there_are_none_where_protobuf_can_tell_or_their_default() -> None:
    kind = Types.ROW_NAMED(
        ["id", "note", "tags", "gift"],
        [
            Types.LONG(),
            Types.STRING(),
            Types.LIST(Types.STRING()),
            Types.ROW_NAMED(["name"], [Types.STRING()]),
        ],
    )
    assert ProtobufRowDeserializationSchema(ORDER, kind).deserialize(b"") == Row(
        id=0, note=None, tags=[], gift=None
    )
    defaults = ProtobufRowDeserializationSchema(ORDER, kind, read_default_values=True)
    assert defaults.deserialize(b"") == Row(id=0, note="", tags=[], gift=Row(name=""))


def test_an_enum_is_the_name_or_the_number_of_its_value() -> None:
    write = ProtobufSerializationSchema(ORDER)
    message = write.serialize({"state": "PAID"})
    assert write.serialize({"state": 1}) == message
    as_number = ProtobufRowDeserializationSchema(ORDER, Types.ROW_NAMED(["state"], [Types.INT()]))
    assert as_number.deserialize(message) == Row(state=1)
    unknown = ORDER.message_class(state=5).SerializeToString()
    as_name = ProtobufRowDeserializationSchema(ORDER, Types.ROW_NAMED(["state"], [Types.STRING()]))
    assert as_name.deserialize(unknown) == Row(state="5")
    with pytest.raises(TypeMismatch, match=r"field state: 'LOST' is none of OPEN, PAID"):
        write.serialize({"state": "LOST"})


def test_objects_of_a_generated_class_go_in_and_come_out() -> None:
    kind = timestamp_pb2.Timestamp
    read = pickle.loads(pickle.dumps(ProtobufDeserializationSchema(kind)))
    write = pickle.loads(pickle.dumps(ProtobufSerializationSchema(kind)))
    made = read.deserialize(write.serialize(kind(seconds=3, nanos=4)))
    assert type(made) is kind and made == kind(seconds=3, nanos=4)
    assert write.serialize(Reading(3, 4)) == write.serialize((3, 4)) == made.SerializeToString()
    assert read.get_produced_type() is None


def test_messages_that_cannot_be_read_fail_or_are_left_out() -> None:
    for schema in (ProtobufDeserializationSchema, ProtobufRowDeserializationSchema):
        with pytest.raises(OutsideError, match=r"a message cannot be read: .*it was b'\\xff'"):
            schema(ORDER).deserialize(b"\xff")
        assert schema(ORDER, ignore_parse_errors=True).deserialize_batch([b"\xff", b""])[1:] == []
        assert schema(ORDER).deserialize(None) is None


def test_values_that_do_not_fit_name_the_message_and_the_field() -> None:
    write = ProtobufSerializationSchema(ORDER)
    for value, reason in (
        ({"id": "x"}, "field id: "),
        ({"nonsense": 1}, "there is no field 'nonsense'"),
        ({"gift": {"price": "x"}}, "field gift: field price: "),
        (
            {"items": [None]},
            "field items: a row, dict, tuple or object with fields is expected, not NoneType",
        ),
        ((1, 2), "it has 2 fields, the message has 9"),
        (7, "not int"),
    ):
        with pytest.raises(TypeMismatch, match=rf"does not fit the message shop\.Order: .*{reason}"):
            write.serialize(value)


def test_types_and_schemas_are_checked_when_they_are_made(tmp_path: Path) -> None:
    row = Types.ROW_NAMED
    for kind, reason in (
        (Types.INT(), "row_type is a row type of Types, not Integer"),
        (row(["x"], [Types.INT()]), r"the message shop\.Order has no field 'x'; it has id, state"),
        (row(["tags"], [Types.STRING()]), r"shop\.Order\.tags is read as a LIST of Types, not as String"),
        (row(["counts"], [Types.STRING()]), "as a MAP of Types"),
        (row(["gift"], [Types.STRING()]), "as a ROW of Types"),
    ):
        with pytest.raises(ProgramError, match=reason):
            ProtobufRowDeserializationSchema(ORDER, kind)
    with pytest.raises(ProgramError, match=r"shop\.Tree contains itself"):
        ProtobufSchema.from_descriptor_set(shop(), "shop.Tree").row_type()
    with pytest.raises(
        ProgramError, match=r"no message 'Order' in the descriptor set; it has shop\.Item, shop\.Order"
    ):
        ProtobufSchema.from_descriptor_set(shop(), "Order")
    with pytest.raises(ProgramError, match="the descriptor set cannot be read"):
        ProtobufSchema.from_descriptor_set(b"\xff", "Order")
    with pytest.raises(OutsideError, match="nowhere"):
        ProtobufSchema.from_descriptor_set("nowhere.desc", "Order")
    (tmp_path / "shop.desc").write_bytes(shop())
    assert ProtobufSchema.from_descriptor_set(str(tmp_path / "shop.desc"), "shop.Order") == ORDER
    with pytest.raises(ProgramError, match="a class that protoc has made is expected, not <class 'int'>"):
        ProtobufDeserializationSchema(int)


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.protobuf.descriptor_pool", None)
    with pytest.raises(ProgramError, match=r"pip install 'penstock\[protobuf\]'"):
        ProtobufSchema.from_descriptor_set(b"", "x")
