"""Records of Avro schemas in Parquet files: which columns they are, and the readers and writers of them."""

from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.contracts.bulk_writing import BulkWriter, BulkWriterFactory
from penstock.data.row import Row
from penstock.data.type_information import TypeInformation
from penstock.errors import OutsideError, ProgramError
from penstock.formats.avro import AvroSchema, GenericRecordAvroTypeInfo
from penstock.formats.avro_misfits import misfit
from penstock.formats.bad_records import OnError, check_on_error
from penstock.formats.column_writers import ROW_GROUP_ROWS, check_compression
from penstock.formats.contract import FileAccess, FormatReader, Piece
from penstock.formats.extras import require
from penstock.formats.parquet import ParquetReader
from penstock.formats.text import StreamFormat

if TYPE_CHECKING:
    import pyarrow

_ARROW_NAMES = {
    "null": "null",
    "boolean": "bool_",
    "int": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "bytes": "binary",
    "string": "string",
}
_LOGICAL = {
    "date": ("date32", ()),
    "time-millis": ("time32", ("ms",)),
    "time-micros": ("time64", ("us",)),
    "timestamp-millis": ("timestamp", ("ms", "UTC")),
    "timestamp-micros": ("timestamp", ("us", "UTC")),
    "local-timestamp-millis": ("timestamp", ("ms",)),
    "local-timestamp-micros": ("timestamp", ("us",)),
}


class AvroParquetReaders:
    """Parquet files as records of an Avro schema, for ``FileSource.for_record_stream_format``; with the extra ``avro``."""

    @staticmethod
    def for_generic_record(schema: AvroSchema, on_error: OnError = "fail") -> StreamFormat:
        """Dicts of the fields of a schema. A field that a file has not gets its default.

        >>> schema = AvroSchema.parse_string('{"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}')
        >>> AvroParquetReaders.for_generic_record(schema).splittable
        True
        """
        return _AvroParquetFormat(_checked(schema, "for_generic_record"), check_on_error(on_error))


class AvroParquetWriters:
    """Parquet files of records of an Avro schema, for ``FileSink.for_bulk_format``; with the extra ``avro``."""

    @staticmethod
    def for_generic_record(schema: AvroSchema, compression: str = "snappy") -> BulkWriterFactory:
        """Dicts, or rows with names, of the fields of a schema. The schema is kept in the file, as Java's library does."""
        return _AvroParquetFactory(_checked(schema, "for_generic_record"), check_compression(compression))


def _checked(schema: Any, method: str) -> AvroSchema:
    if not isinstance(schema, AvroSchema):
        raise ProgramError(
            f"{method} takes an AvroSchema, not {schema!r}; AvroSchema.parse_string(json) makes one"
        )
    arrow_fields(schema)
    return schema


def arrow_fields(schema: AvroSchema) -> "pyarrow.Schema":
    """The columns for records of a schema.

    >>> arrow_fields(AvroSchema.parse_string('{"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}'))
    n: int64 not null

    :raises ProgramError: for types that Parquet has no form for, and for schemas that are none of records.
    """
    import pyarrow

    found = _arrow_type(schema.parsed, {}, "the schema")
    if not pyarrow.types.is_struct(found):
        raise ProgramError(f"Parquet has columns, so the Avro schema is that of a record, not {schema}")
    return pyarrow.schema(list(found))


def _arrow_type(avro: Any, named: dict[str, Any], field: str) -> "pyarrow.DataType":
    import pyarrow

    if isinstance(avro, list):
        present = [each for each in avro if each != "null"]
        if len(present) != 1:
            raise ProgramError(
                f"the field {field} is {' or '.join(map(str, avro))} in the Avro schema; Parquet takes null or one type"
            )
        return _arrow_type(present[0], named, field)
    if isinstance(avro, str):
        return named[avro] if avro in named else getattr(pyarrow, _ARROW_NAMES[avro])()
    kind, logical = avro["type"], avro.get("logicalType")
    if logical in _LOGICAL:
        name, arguments = _LOGICAL[logical]
        return getattr(pyarrow, name)(*arguments)
    if logical == "decimal":
        return pyarrow.decimal128(avro["precision"], avro.get("scale", 0))
    match kind:
        case "record":
            fields = [_arrow_field(each, named, f"{field}.{each['name']}") for each in avro["fields"]]
            made = pyarrow.struct(fields)
        case "array":
            return pyarrow.list_(_arrow_type(avro["items"], named, field))
        case "map":
            return pyarrow.map_(pyarrow.string(), _arrow_type(avro["values"], named, field))
        case "enum":
            made = pyarrow.string()
        case "fixed":
            made = pyarrow.binary(avro["size"])
        case _:
            return _arrow_type(kind, named, field)
    named[avro["name"]] = made
    return made


def _arrow_field(field: Any, named: dict[str, Any], path: str) -> "pyarrow.Field":
    import pyarrow

    kind = field["type"]
    may_be_null = kind == "null" or (isinstance(kind, list) and "null" in kind)
    return pyarrow.field(field["name"], _arrow_type(kind, named, path), may_be_null)


class _AvroParquetFormat(StreamFormat):
    decompresses = False
    splittable = True
    checks_types = True

    def __init__(self, schema: AvroSchema, on_error: OnError) -> None:
        self._schema = schema
        self._on_error = on_error

    def get_produced_type(self) -> TypeInformation:
        return GenericRecordAvroTypeInfo(self._schema)

    def create_reader(self, access: FileAccess) -> FormatReader:
        return _AvroParquetReader(access, self._schema, self._on_error)


class _AvroParquetReader(ParquetReader):
    """Reads the columns of the schema that a file has, and makes dicts of them."""

    def __init__(self, access: FileAccess, schema: AvroSchema, on_error: OnError) -> None:
        super().__init__(access, None, on_error)
        self._fields = schema.parsed["fields"]
        self._wanted = arrow_fields(schema)

    def columns_of(self, schema: "pyarrow.Schema") -> list[str]:
        there = set(schema.names)
        missing = [f["name"] for f in self._fields if f["name"] not in there and "default" not in f]
        if missing:
            failure = OutsideError(
                f"{self._part.path} has no column {', '.join(missing)}, and the Avro schema no default for that; it has "
                f"{', '.join(schema.names)}"
            )
            failure.retryable = False
            raise failure
        return [field["name"] for field in self._fields if field["name"] in there]

    def read(self) -> Piece | None:
        piece = super().read()
        if piece is None:
            return None
        batch: Any = piece[0]
        columns = {}
        for field, wanted in zip(self._fields, self._wanted, strict=True):
            name = field["name"]
            if name in batch.schema.names:
                columns[name] = self.cast(batch.column(name), name, wanted.type).to_pylist(
                    maps_as_pydicts="strict"
                )
            else:
                columns[name] = [field["default"]] * batch.num_rows
        names = list(columns)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)], piece[1]


class _AvroParquetFactory(BulkWriterFactory):
    def __init__(self, schema: AvroSchema, compression: str) -> None:
        self._schema = schema
        self._compression = compression

    def create(self, out: BinaryIO) -> BulkWriter:
        return _AvroParquetWriter(out, self._schema, self._compression)


class _AvroParquetWriter(BulkWriter):
    def __init__(self, out: BinaryIO, schema: AvroSchema, compression: str) -> None:
        from pyarrow import parquet

        self._avro = schema.parsed
        self._validate = require("fastavro.validation", "avro", "Avro").validate
        # Java's library reads the schema of records here.
        self._schema = arrow_fields(schema).with_metadata({"parquet.avro.schema": str(schema)})
        self._writer = parquet.ParquetWriter(out, self._schema, compression=compression)
        self._records: list[Any] = []

    def add_elements(self, elements: list[Any]) -> None:
        for element in elements:
            record = element.as_dict(True) if isinstance(element, Row) else element
            try:
                is_valid = self._validate(record, self._avro, raise_errors=False)
            except (TypeError, ValueError, LookupError, AttributeError):
                is_valid = False
            if not is_valid:
                raise misfit(record, self._avro, ValueError("it is no record of the schema"))
            self._records.append(record)
        if len(self._records) >= ROW_GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        import pyarrow

        records, self._records = self._records, []
        if not records:
            return
        arrays = []
        for field, avro in zip(self._schema, self._avro["fields"], strict=True):
            default = avro.get("default")
            values = [record.get(field.name, default) for record in records]
            try:
                arrays.append(pyarrow.array(values, field.type))
            except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
                raise ProgramError(
                    f"the field {field.name} cannot be written as {field.type}: {error}"
                ) from error
        self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema), ROW_GROUP_ROWS)

    def finish(self) -> None:
        self.flush()
        self._writer.close()

    def give_up(self) -> None:
        self._writer.close()
