"""Records of Avro schemas in Parquet and Avro files, and what is said of those that are of another schema."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from penstock.connectors.files.layout import BucketAssigner
from penstock.connectors.files.sink import FileSink
from penstock.connectors.files.source import FileSource
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.row import Row
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import JobFailed, ProgramError
from penstock.formats.avro import AvroInputFormat, AvroSchema
from penstock.formats.avro_columns import AvroParquetReaders, AvroParquetWriters
from penstock.formats.record_writers import AvroBulkWriters


def schema_of(*fields: Any) -> AvroSchema:
    return AvroSchema.parse_string(
        json.dumps({"type": "record", "name": "Person", "fields": [dict(field) for field in fields]})
    )


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


PERSON = schema_of(
    field("id", "long"),
    field("name", ["null", "string"]),
    field("tags", {"type": "array", "items": "int"}),
    field("marks", {"type": "map", "values": "double"}),
    field("born", {"type": "int", "logicalType": "date"}),
    field("kind", {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}),
    field("home", {"type": "record", "name": "Home", "fields": [field("street", "string")]}),
)
RECORDS: list[dict[str, Any]] = [
    {
        "id": 1,
        "name": None,
        "tags": [1, 2],
        "marks": {"x": 0.5},
        "born": datetime.date(2000, 1, 2),
        "kind": "A",
        "home": {"street": "s"},
    },
    {
        "id": 2,
        "name": "Emmy",
        "tags": [],
        "marks": {},
        "born": datetime.date(1882, 3, 23),
        "kind": "B",
        "home": {"street": ""},
    },
]


def write(folder: Path, factory: Any, records: list[Any]) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    builder = FileSink.for_bulk_format(str(folder), factory)
    builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
    env.from_collection(records).sink_to(builder.build())
    env.execute()


def read(builder: Any) -> list[Any]:
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(builder.build(), WatermarkStrategy.no_watermarks(), "files")
    with stream.execute_and_collect() as results:
        return list(results)


def read_parquet(folder: Path, schema: AvroSchema) -> list[Any]:
    return read(FileSource.for_record_stream_format(AvroParquetReaders.for_generic_record(schema), folder))


def test_records_come_back_from_parquet(tmp_path: Path) -> None:
    write(tmp_path, AvroParquetWriters.for_generic_record(PERSON), RECORDS)
    assert read_parquet(tmp_path, PERSON) == RECORDS
    from pyarrow import parquet

    (path,) = tmp_path.iterdir()
    kept = parquet.read_schema(path)
    assert json.loads(kept.metadata[b"parquet.avro.schema"])["name"] == "Person"
    assert not kept.field("id").nullable and kept.field("name").nullable


def test_rows_with_names_are_records_and_missing_fields_have_defaults(tmp_path: Path) -> None:
    old = schema_of(field("id", "long"), field("old", "string", default="d"))
    write(tmp_path, AvroParquetWriters.for_generic_record(old), [Row(id=1, old="o"), {"id": 2}])
    assert read_parquet(tmp_path, old) == [{"id": 1, "old": "o"}, {"id": 2, "old": "d"}]
    new = schema_of(field("new", "int", default=7), field("id", "long"))
    assert read_parquet(tmp_path, new) == [{"new": 7, "id": 1}, {"new": 7, "id": 2}]
    with pytest.raises(
        JobFailed, match="has no column other, and the Avro schema no default for that; it has id, old"
    ):
        read_parquet(tmp_path, schema_of(field("other", "int")))
    with pytest.raises(JobFailed, match="the column old is of type string and cannot be read as int64"):
        read_parquet(tmp_path, schema_of(field("old", "long")))


@pytest.mark.parametrize("writers", [AvroParquetWriters, AvroBulkWriters])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "x"}, "the field id of Person is declared as long in the Avro schema, got 'x' of type str"),
        (
            {"name": 5},
            "the field name of Person is declared as null or string in the Avro schema, got 5 of type int",
        ),
        (
            {"tags": [1, "z"]},
            "the field tags of Person is declared as int in the Avro schema, got 'z' of type str",
        ),
        (
            {"id": 2**70},
            "the field id of Person is declared as long in the Avro schema, got 1180591620717411303424",
        ),
        (
            {"kind": "C"},
            "the field kind of Person is declared as enum Kind in the Avro schema, got 'C' of type str",
        ),
        ({"home": None}, "the field home of Person is declared as record Home in the Avro schema, got None"),
    ],
)
def test_a_record_that_does_not_fit_names_its_field(
    tmp_path: Path, writers: Any, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(JobFailed, match=said):
        write(tmp_path, writers.for_generic_record(PERSON), [RECORDS[0], {**RECORDS[1], **change}])


@pytest.mark.parametrize("writers", [AvroParquetWriters, AvroBulkWriters])
def test_what_is_no_record_is_named(tmp_path: Path, writers: Any) -> None:
    with pytest.raises(JobFailed, match="a record of Person is expected, got 7 of type int"):
        write(tmp_path, writers.for_generic_record(PERSON), [7])


def test_a_file_of_another_schema_says_what_it_was_written_with(tmp_path: Path) -> None:
    write(tmp_path, AvroBulkWriters.for_generic_record(schema_of(field("id", "long"))), [{"id": 1}])
    for wanted, said in (
        (
            field("id", "string"),
            "long is not string; it was written with id: long, and id: string are wanted",
        ),
        (field("age", "int"), "No default value for field age in Person; it was written with id: long"),
    ):
        for on_error in ("fail", "skip"):
            with pytest.raises(JobFailed, match=rf"cannot be read by the schema that was given: .*{said}"):
                read(
                    FileSource.for_bulk_file_format(
                        AvroInputFormat(schema_of(wanted), on_error=on_error), tmp_path
                    )
                )


def test_types_that_parquet_has_no_form_for_are_refused() -> None:
    with pytest.raises(ProgramError, match=r"the field the schema\.u is int or string in the Avro schema"):
        AvroParquetWriters.for_generic_record(schema_of(field("u", ["int", "string"])))
    with pytest.raises(ProgramError, match="for_generic_record takes an AvroSchema"):
        AvroParquetReaders.for_generic_record("{}")  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="the Avro schema is that of a record"):
        AvroParquetReaders.for_generic_record(AvroSchema.parse_string('"long"'))
