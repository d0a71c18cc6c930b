"""Files of records that are written as a whole, with a beginning: Avro, and CSV with a header."""

from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.contracts.bulk_writing import BulkWriter, BulkWriterFactory
from penstock.data.row import Row
from penstock.errors import ProgramError
from penstock.formats.avro import AvroSchema
from penstock.formats.avro_codecs import check_codec
from penstock.formats.avro_misfits import misfit
from penstock.formats.csv import CsvRowSerializationSchema
from penstock.formats.csv_schema import CsvSchema
from penstock.formats.extras import require

if TYPE_CHECKING:
    import pyarrow

_NOT_OF_THE_SCHEMA = (ValueError, TypeError, LookupError, AttributeError, OverflowError)


class AvroBulkWriters:
    """Avro files, for ``FileSink.for_bulk_format``; with the extra ``avro``."""

    @staticmethod
    def for_generic_record(schema: AvroSchema, codec: str = "null") -> BulkWriterFactory:
        """Dicts, or rows with names, of the fields of a schema. ``codec``: null, deflate, bzip2, xz, snappy or zstandard."""
        if not isinstance(schema, AvroSchema):
            raise ProgramError(
                f"for_generic_record takes an AvroSchema, not {schema!r}; AvroSchema.parse_string(json) makes one"
            )
        require("fastavro", "avro", "Avro")
        return _AvroFactory(schema, check_codec(codec))


class _AvroFactory(BulkWriterFactory):
    takes_columns = True

    def __init__(self, schema: AvroSchema, codec: str) -> None:
        self._schema = schema
        self._codec = codec

    def create(self, out: BinaryIO) -> BulkWriter:
        return _AvroWriter(out, self._schema, self._codec)


class _AvroWriter(BulkWriter):
    def __init__(self, out: BinaryIO, schema: AvroSchema, codec: str) -> None:
        library = require("fastavro.write", "avro", "Avro")
        self._schema = schema.parsed
        self._writer = library.Writer(out, schema.parsed, codec)

    def add_elements(self, elements: list[Any]) -> None:
        write = self._writer.write
        element: Any = None
        try:
            for element in elements:
                write(element.as_dict(True) if isinstance(element, Row) else element)
        except _NOT_OF_THE_SCHEMA as error:
            record = element.as_dict(True) if isinstance(element, Row) else element
            raise misfit(record, self._schema, error) from error

    def add_columns(self, columns: "pyarrow.RecordBatch") -> None:
        self.add_elements(columns.to_pylist())  # dicts, which is what the library writes

    def flush(self) -> None:
        self._writer.flush()

    def finish(self) -> None:
        self.flush()


class CsvBulkWriters:
    """CSV files, for ``FileSink.for_bulk_format``."""

    @staticmethod
    def for_schema(schema: CsvSchema) -> BulkWriterFactory:
        """Rows of a schema; each file begins with the names where the schema uses a header.

        >>> factory = CsvBulkWriters.for_schema(CsvSchema.builder().add_string_column("name").build())
        """
        if not isinstance(schema, CsvSchema):
            raise ProgramError(f"for_schema takes a CsvSchema, not {schema!r}; CsvSchema.builder() makes one")
        return _CsvFactory(schema)


class _CsvFactory(BulkWriterFactory):
    def __init__(self, schema: CsvSchema) -> None:
        self._schema = schema

    def create(self, out: BinaryIO) -> BulkWriter:
        return _CsvWriter(out, self._schema)


class _CsvWriter(BulkWriter):
    def __init__(self, out: BinaryIO, schema: CsvSchema) -> None:
        self._out = out
        self._schema = CsvRowSerializationSchema(schema)
        if schema.use_header:
            out.write(self._schema.header())

    def add_elements(self, elements: list[Any]) -> None:
        self._out.write(b"".join([line or b"" for line in self._schema.serialize_batch(elements)]))

    def finish(self) -> None:
        pass
