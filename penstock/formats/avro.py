"""Avro: files of records, and schemas of messages. Needs the extra ``avro``."""

import io
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from penstock.contracts.serialization import DeserializationSchema, SerializationSchema
from penstock.data.row import Row, rows_of
from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.type_scalars import BasicTypeInfo, PickledBytesTypeInfo
from penstock.errors import OutsideError, PenstockError, ProgramError
from penstock.formats.avro_codecs import check_codec_of_file, decompressing
from penstock.formats.avro_misfits import misfit, of_another_schema
from penstock.formats.bad_records import BadRecord, OnError, check_on_error
from penstock.formats.contract import BulkFormat, FileAccess, FilePart, FormatReader, Piece
from penstock.formats.extras import require
from penstock.formats.unreadable import unreadable

# What fastavro raises for bytes that are no Avro, beside errors of its own, which are ValueErrors.
_BROKEN = (ValueError, TypeError, EOFError, LookupError, ArithmeticError, StopIteration, AssertionError)


def _fastavro(module: str = "fastavro") -> Any:
    return require(module, "avro", "Avro")


class AvroSchema:
    """A schema of Avro; ``named``: schemas that were parsed before, whose names it may use."""

    def __init__(self, schema: Any, named: dict[str, Any] | None = None) -> None:
        library = _fastavro("fastavro.schema")
        try:
            self.parsed = library.parse_schema(schema, {} if named is None else named)
        except (library.SchemaParseException, library.UnknownType) as error:
            raise ProgramError(f"the Avro schema cannot be read: {error}") from error
        self._schema = schema

    @staticmethod
    def parse_string(json_schema: str) -> "AvroSchema":
        """The schema that a text describes in JSON."""
        import json

        try:
            return AvroSchema(json.loads(json_schema))
        except (TypeError, json.JSONDecodeError) as error:
            raise ProgramError(f"the Avro schema is no JSON: {error}") from error

    @staticmethod
    def parse_file(file_path: str) -> "AvroSchema":
        """The schema in a file."""
        try:
            with open(file_path, encoding="utf-8") as file:
                return AvroSchema.parse_string(file.read())
        except (OSError, UnicodeDecodeError) as error:
            raise OutsideError(f"the Avro schema {file_path} cannot be read: {error}") from error

    def __str__(self) -> str:
        import json

        return json.dumps(self._schema, separators=(",", ":"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AvroSchema) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return (AvroSchema, (self._schema,))


class GenericRecordAvroTypeInfo(PickledBytesTypeInfo):
    """The type of records of an Avro schema, which are dicts."""

    __slots__ = ("_schema",)

    def __init__(self, schema: AvroSchema) -> None:
        super().__init__()
        self._schema = schema

    def parts(self) -> tuple[Any, ...]:
        return (self._schema,)

    def __reduce__(self) -> tuple[Any, ...]:
        return (GenericRecordAvroTypeInfo, (self._schema,))


class AvroInputFormat(BulkFormat):
    """Avro files as dicts, in the fields of ``schema`` where one is given. Each file is read by one reader.

    ``on_error``: what becomes of a block that cannot be read, or of the rest of a file where its blocks cannot be found.

    With a path it goes to ``env.create_input(AvroInputFormat(path, schema))``, which reads that; without one it goes to a
    source that has paths, ``FileSource.for_bulk_file_format(AvroInputFormat(schema), path)``.
    """

    def __init__(
        self,
        path: "str | os.PathLike[str] | AvroSchema | None" = None,
        schema: AvroSchema | None = None,
        on_error: OnError = "fail",
    ) -> None:
        if isinstance(path, AvroSchema) and schema is None:
            path, schema = None, path
        if path is not None and not isinstance(path, (str, os.PathLike)):
            raise ProgramError(
                f"the path of AvroInputFormat(path, schema) is text or a pathlib.Path, not {path!r}"
            )
        if schema is not None and not isinstance(schema, AvroSchema):
            raise ProgramError(
                f"the schema of AvroInputFormat(path, schema) is an AvroSchema, not {schema!r}; "
                "AvroSchema.parse_string(json) makes one"
            )
        _fastavro()
        self.input_path = None if path is None else os.fspath(path)
        self._schema = schema
        self._on_error = check_on_error(on_error)

    def get_produced_type(self) -> TypeInformation | None:
        return None if self._schema is None else GenericRecordAvroTypeInfo(self._schema)

    def create_reader(self, access: FileAccess) -> FormatReader:
        return _AvroReader(access, self._schema, self._on_error)


class _AvroReader(FormatReader):
    """Reads a block at a time; its position is the number of records that were read."""

    def __init__(self, access: FileAccess, schema: AvroSchema | None, on_error: OnError) -> None:
        self._access = access
        self._schema = schema
        self._on_error = on_error
        self._file: BinaryIO | None = None
        self._blocks: Iterator[Any] = iter(())
        self._written: Any = None
        self._broken = (*_BROKEN, _fastavro("fastavro.read").SchemaResolutionError)
        self._path = ""
        self._position = 0
        self._to_skip = 0

    def begin(self, part: FilePart) -> None:
        self.close()
        self._path = part.path
        self._position = 0
        self._to_skip = part.position or 0
        self._file = self._access.open(part.path)
        self._blocks = self._opened(self._file)

    def _opened(self, file: BinaryIO) -> Iterator[Any]:
        reader = _fastavro().block_reader(file, self._schema and self._schema.parsed)
        check_codec_of_file(reader.codec, self._path)
        self._written = reader.writer_schema
        while True:
            with decompressing(reader.codec):
                block = next(reader, None)
            if block is None:
                return
            yield block

    def read(self) -> Piece | None:
        try:
            block = next(self._blocks, None)
        except PenstockError:
            raise
        except self._broken as error:
            self._treat(error, "damaged from here on")
            return None
        if block is None:
            return None
        self._position += block.num_records
        if self._position <= self._to_skip:
            return [], self._to_skip
        try:
            records = list(block)
        except self._broken as error:
            self._position -= block.num_records
            self._treat(error, f"a block of {block.num_records} records cannot be read")
            self._position += block.num_records
            return [], self._position
        already = self._to_skip - (self._position - len(records))
        return records[already:] if already > 0 else records, self._position

    def _treat(self, error: BaseException, what: str) -> None:
        """Do what the policy says; the records behind those that were read are the bad ones."""
        of_another = isinstance(error, _fastavro("fastavro.read").SchemaResolutionError)
        if self._on_error == "fail" or of_another:
            raise self._malformed(error) from error
        reason = f"{what}: {str(error) or type(error).__name__}"
        self._access.treat(BadRecord(self._path, self._position + 1, None, "", reason), self._on_error)

    def _malformed(self, error: BaseException) -> OutsideError:
        if self._schema is not None and isinstance(error, _fastavro("fastavro.read").SchemaResolutionError):
            return of_another_schema(self._path, error, self._written, self._schema.parsed)
        failure = OutsideError(
            f"{self._path} cannot be read: {str(error) or type(error).__name__}; the file is damaged, no Avro, or of "
            "another schema"
        )
        failure.retryable = False
        return failure

    def close(self) -> None:
        self._blocks = iter(())
        if self._file is not None:
            self._file.close()
            self._file = None


class AvroRowDeserializationSchema(DeserializationSchema):
    """Messages that are one Avro record each, without a header, as rows of the fields of a schema."""

    def __init__(self, record_class: str | None = None, avro_schema_string: str | None = None) -> None:
        self._schema = _schema_of(record_class, avro_schema_string)
        self._names = [field["name"] for field in self._schema.parsed.get("fields", [])]
        self._read = _fastavro().schemaless_reader

    def deserialize(self, message: bytes) -> Any:
        if message is None:
            return None
        try:
            record = self._read(io.BytesIO(message), self._schema.parsed, None)
        except _BROKEN as error:
            raise unreadable(message, _as_exception(error)) from error
        return rows_of([[record[name] for name in self._names]], self._names)[0]

    def get_produced_type(self) -> TypeInformation | None:
        """Rows of the schema's fields, where all of them are plain values; None leaves the type open."""
        types = [_plain_type(field["type"]) for field in self._schema.parsed.get("fields", [])]
        known = [each for each in types if each is not None]
        return RowTypeInfo(known, list(self._names)) if len(known) == len(types) else None

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (None, str(self._schema)))


class AvroRowSerializationSchema(SerializationSchema):
    """Rows as one Avro record each, without a header.

    A row is taken field by field, as Flink does, unless its fields have the names of the schema's.
    """

    def __init__(self, record_class: str | None = None, avro_schema_string: str | None = None) -> None:
        self._schema = _schema_of(record_class, avro_schema_string)
        self._names = [field["name"] for field in self._schema.parsed.get("fields", [])]
        self._write = _fastavro().schemaless_writer

    def serialize(self, element: Any) -> bytes:
        target = io.BytesIO()
        try:
            self._write(target, self._schema.parsed, self._record(element), strict=True)
        except _BROKEN as error:
            raise misfit(self._record(element), self._schema.parsed, _as_exception(error)) from error
        return target.getvalue()

    def _record(self, element: Any) -> Any:
        if (
            isinstance(element, Row)
            and element._names is not None
            and set(element._names) == set(self._names)
        ):
            return element.as_dict(True)
        if isinstance(element, (Row, tuple, list)):
            return dict(zip(self._names, element, strict=True))
        return element

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (None, str(self._schema)))


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else ValueError(str(error))


def _plain_type(described: Any) -> TypeInformation | None:
    """The type of a field that holds a plain value, or a plain value or null."""
    if isinstance(described, list):
        present = [each for each in described if each != "null"]
        return _plain_type(present[0]) if len(present) == 1 else None
    make = _PLAIN_TYPES.get(described) if isinstance(described, str) else None
    return None if make is None else make()


_PLAIN_TYPES: dict[str, Callable[[], TypeInformation]] = {
    "boolean": BasicTypeInfo.BOOLEAN_TYPE_INFO,
    "int": BasicTypeInfo.INT_TYPE_INFO,
    "long": BasicTypeInfo.LONG_TYPE_INFO,
    "float": BasicTypeInfo.FLOAT_TYPE_INFO,
    "double": BasicTypeInfo.DOUBLE_TYPE_INFO,
    "string": BasicTypeInfo.STRING_TYPE_INFO,
}


def _schema_of(record_class: str | None, avro_schema_string: str | None) -> AvroSchema:
    if record_class is not None:
        raise ProgramError(
            f"record_class={record_class!r} names a class of Java, and there is no Java here; give avro_schema_string"
        )
    if avro_schema_string is None:
        raise TypeError("record_class or avro_schema_string should be specified.")
    schema = AvroSchema.parse_string(os.fspath(avro_schema_string))
    if not isinstance(schema.parsed, dict) or schema.parsed.get("type") != "record":
        raise ProgramError(f"the Avro schema of rows is that of a record, not {schema}")
    return schema
