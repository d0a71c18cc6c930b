"""Protobuf: messages become rows, and rows messages. Needs the extra ``protobuf``.

Run it with ``python examples/protobuf_messages.py``. It prints::

    Row(id=7, item='cup', tags=['blue', 'small'])
    14 bytes: 08 0e 12 03 63 75 70 1a 05 6c 61 72 67 65
"""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet

from penstock.common import Row
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.formats.protobuf import (
    ProtobufRowDeserializationSchema,
    ProtobufSchema,
    ProtobufSerializationSchema,
)


def order_schema() -> ProtobufSchema:
    """What ``protoc --descriptor_set_out`` writes of a message with an id, an item and tags.

    Where there is generated code, its class stands for it: ``ProtobufSchema(shop_pb2.Order)``.
    """
    described = FileDescriptorSet()
    file = described.file.add(name="shop.proto", package="shop", syntax="proto3")
    order = file.message_type.add(name="Order")
    single, many = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
    order.field.add(name="id", number=1, type=FieldDescriptorProto.TYPE_INT64, label=single)
    order.field.add(name="item", number=2, type=FieldDescriptorProto.TYPE_STRING, label=single)
    order.field.add(name="tags", number=3, type=FieldDescriptorProto.TYPE_STRING, label=many)
    return ProtobufSchema.from_descriptor_set(described.SerializeToString(), "shop.Order")


def main() -> None:
    """Read a message, change it, and write it again; with Kafka the schemas stand in its source and sink."""
    schema = order_schema()
    read, write = ProtobufRowDeserializationSchema(schema), ProtobufSerializationSchema(schema)
    env = StreamExecutionEnvironment.get_execution_environment()
    messages = env.from_collection([write.serialize({"id": 7, "item": "cup", "tags": ["blue", "small"]})])
    orders = messages.map(read.deserialize)
    with orders.execute_and_collect() as rows:
        print(*rows)
    doubled = orders.map(lambda row: Row(id=2 * row.id, item=row.item, tags=["large"])).map(write.serialize)
    with doubled.execute_and_collect() as written:
        (message,) = written
        print(f"{len(message)} bytes: {message.hex(' ')}")


if __name__ == "__main__":
    main()
