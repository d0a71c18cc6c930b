"""Avro: files written with one schema, read with a later one that has a field more. Needs the extra ``avro``.

Run it with ``python examples/avro_files.py``. It prints::

    {'city': 'Bergen', 'degrees': 4.5, 'station': 'unknown'}
    {'city': 'Lagos', 'degrees': 31.0, 'station': 'unknown'}
"""

import json
import tempfile

from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSink, FileSource
from penstock.datastream.formats.avro import AvroBulkWriters, AvroInputFormat, AvroSchema

FIELDS = [{"name": "city", "type": "string"}, {"name": "degrees", "type": "double"}]
NEW_FIELD = {"name": "station", "type": "string", "default": "unknown"}


def schema_of(fields: list[dict[str, str]]) -> AvroSchema:
    """The schema of a reading."""
    return AvroSchema.parse_string(json.dumps({"type": "record", "name": "Reading", "fields": fields}))


def main() -> None:
    """Write the files, and read them with the schema of a later version."""
    env = StreamExecutionEnvironment.get_execution_environment()
    with tempfile.TemporaryDirectory() as folder:
        readings = env.from_collection(
            [{"city": "Bergen", "degrees": 4.5}, {"city": "Lagos", "degrees": 31.0}]
        )
        writers = AvroBulkWriters.for_generic_record(schema_of(FIELDS))
        readings.sink_to(FileSink.for_bulk_format(folder, writers).build())
        env.execute("write")

        later = AvroInputFormat(schema_of([*FIELDS, NEW_FIELD]))
        source = FileSource.for_bulk_file_format(later, folder).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "readings")
        with stream.execute_and_collect() as records:
            for record in records:
                print(record)


if __name__ == "__main__":
    main()
