"""Operator state as Parquet files: a list's elements in a column ``element``, broadcast state in ``key`` and ``value``."""

import json
from io import BytesIO
from typing import Any, Final

from penstock.checkpoint.entry_files import METADATA, EncodedFile, described
from penstock.checkpoint.value_columns import decode, encode
from penstock.contracts.state import OperatorStateMode
from penstock.data.pickles import dump, load
from penstock.data.saved_pickles import NotingPickles

ELEMENTS_VERSION: Final = 1


def encode_elements(name: str, mode: OperatorStateMode, elements: tuple[bytes, ...]) -> EncodedFile:
    """The file of one operator state of one subtask, of the pickled elements that its snapshot holds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = [load(element, f"operator state {name!r}") for element in elements]
    columns: dict[str, list[Any]] = {"element": values}
    if mode is OperatorStateMode.BROADCAST:
        columns = {"key": [key for key, _ in values], "value": [value for _, value in values]}
    pickles = NotingPickles()
    encoded = {column: encode(of, pickles) for column, of in columns.items()}
    description = {
        "version": ELEMENTS_VERSION,
        "state": name,
        "mode": mode.value,
        "columns": {column: shape for column, (_, shape) in encoded.items()},
    }
    table = pa.table({column: array for column, (array, _) in encoded.items()})
    file = BytesIO()
    pq.write_table(
        table.replace_schema_metadata({METADATA: json.dumps(description, sort_keys=True)}),
        file,
        compression="zstd",
    )
    return EncodedFile(
        file.getvalue(), len(values), tuple((field.name, str(field.type)) for field in table.schema)
    )


def decode_elements(content: bytes, name: str) -> tuple[OperatorStateMode, tuple[bytes, ...]]:
    """How the state is dealt out, and its pickled elements.

    :raises StateError: when the file is of a newer version or no such file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(content)).combine_chunks()
    description = described(table.schema.metadata or {}, f"operator state {name!r}", ELEMENTS_VERSION)
    mode = OperatorStateMode(description["mode"])
    columns = {
        column: decode(batch.column(column), shape)
        for batch in table.to_batches()
        for column, shape in description["columns"].items()
    }
    if not columns:
        return mode, ()
    if mode is OperatorStateMode.BROADCAST:
        return mode, tuple(map(dump, zip(columns["key"], columns["value"], strict=True)))
    return mode, tuple(map(dump, columns["element"]))
