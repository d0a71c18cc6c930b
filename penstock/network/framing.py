"""Elements as frames, for sockets and files.

A frame is a header (channel, kind, length of the payload) and a payload. Rows travel as pickle protocol 5, columns as Arrow
IPC streams, signals as a few packed bytes. Frames are unpickled only between workers that have authenticated each other.
"""

import io
import pickle
import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from operator import is_, itemgetter
from typing import Any

from penstock.data import code_pickle
from penstock.data.batch import ColumnBatch, KeyItem, RowBatch
from penstock.data.elements import ACTIVE, IDLE, Barrier, Element, EndOfInput, StreamStatus, Watermark
from penstock.errors import NotSerializable, ProtocolError
from penstock.network import by_value

HEADER = struct.Struct("!QBI")
Payload = bytes | bytearray | memoryview


class Kind(IntEnum):
    """What a frame carries."""

    ROWS = 1
    COLUMNS = 2
    TIMED_COLUMNS = 3
    WATERMARK = 4
    STATUS = 5
    BARRIER = 6
    END_OF_INPUT = 7
    CLASS = 8
    CREDIT = 9
    GOODBYE = 10
    FAREWELL = 11


BATCH_KINDS = frozenset({Kind.ROWS, Kind.COLUMNS, Kind.TIMED_COLUMNS})

_LONG = struct.Struct("!q")
_BARRIER = struct.Struct("!qq??")
_END = struct.Struct("!?q")
_TOKEN_BYTES = 32

# Tuples of these, and these themselves, hold no references that are worth remembering while pickling.
_ATOMS = frozenset({int, str, float, bool, bytes, type(None)})
_SHORT = 64
_KEY_IS_VALUE = -1
# Values or fields, the times as bytes, the keys or where they are, and whether the first are fields.
_Parts = tuple[Sequence[Any], bytes | None, Any, bool]


class Encoder:
    """Makes the frames of one channel.

    ``announce_class(token)`` is called before a frame that needs a class by value; it sends a frame of kind CLASS ahead
    unless the receiving process got it already. Without it the frames stay in this process, which knows its classes.

    >>> kind, payload = Encoder().encode(RowBatch([("a", 1)], None, ["a"]))
    >>> decode(kind, payload)
    RowBatch([('a', 1)], None, ['a'])
    """

    __slots__ = ("_announce_class", "_by_token")

    def __init__(self, announce_class: Callable[[str], object] | None = None) -> None:
        self._announce_class = announce_class or _stay_silent
        self._by_token = False

    def encode(self, element: Element) -> tuple[int, Payload]:
        """The kind and payload of an element. Raises ``NotSerializable`` for a value that cannot be pickled."""
        match element:
            case RowBatch():
                return Kind.ROWS, self._encode_rows(element)
            case ColumnBatch():
                return _encode_columns(element)
            case Watermark(timestamp):
                return Kind.WATERMARK, _LONG.pack(timestamp)
            case StreamStatus(idle):
                return Kind.STATUS, bytes([idle])
            case Barrier(checkpoint_id, timestamp, unaligned, savepoint):
                return Kind.BARRIER, _BARRIER.pack(checkpoint_id, timestamp, unaligned, savepoint)
            case EndOfInput(drained, savepoint_id):
                return Kind.END_OF_INPUT, _END.pack(drained, savepoint_id)

    def _encode_rows(self, batch: RowBatch) -> bytes:
        timestamps = batch.timestamps
        packed_keys = _packed_keys(batch)
        # One block of bytes costs half of what pickle needs for a list of ints.
        times = None if timestamps is None else struct.pack(f"{len(timestamps)}q", *timestamps)
        fields = batch.fields
        parts = (
            (batch.values, times, packed_keys, False)
            if fields is None
            else (fields, times, packed_keys, True)
        )
        if not self._by_token:
            pickled = _pickle_by_name(parts)
            if pickled is not None and not by_value.refers_to_main(pickled):
                return pickled
            self._by_token = True  # the next batches are of the same kind most likely
        try:
            return by_value.dumps(parts, self._announce_class)
        except Exception:  # noqa: BLE001 - user classes may raise anything while they are pickled
            return _encode_with_cloudpickle(parts, batch)


def _encode_with_cloudpickle(parts: _Parts, batch: RowBatch) -> bytes:
    """The slow way, for values that even a pickle with tokens cannot hold, such as modules and code objects."""
    try:
        return code_pickle.dumps(parts)
    except Exception as error:
        raise _not_serializable(batch, error) from error


def decode(kind: int, payload: Payload) -> Element:
    """The element of a frame that :class:`Encoder` made."""
    match kind:
        case Kind.ROWS:
            return _decode_rows(payload)
        case Kind.COLUMNS | Kind.TIMED_COLUMNS:
            return _decode_columns(payload, kind == Kind.TIMED_COLUMNS)
        case Kind.WATERMARK:
            return Watermark(_LONG.unpack(payload)[0])
        case Kind.STATUS:
            return IDLE if payload[0] else ACTIVE
        case Kind.BARRIER:
            return Barrier(*_BARRIER.unpack(payload))
        case Kind.END_OF_INPUT:
            return EndOfInput(*_END.unpack(payload))
    raise ProtocolError(
        f"a frame of kind {kind} holds no element; do all workers run the same version of penstock?"
    )


def _stay_silent(_token: str) -> None:
    """Whoever reads the frame knows every class already."""


def class_frame(token: str) -> bytes:
    """The payload of a frame of kind CLASS."""
    return token.encode() + by_value.definition_of(token)


def learn_class(payload: Payload) -> None:
    """Take in a frame of kind CLASS."""
    by_value.learn(bytes(payload[:_TOKEN_BYTES]).decode(), bytes(payload[_TOKEN_BYTES:]))


def _pickle_by_name(parts: _Parts) -> bytes | None:
    """Pickle with classes by name, None where that is not possible."""
    try:
        if all(map(_is_flat, parts[0])) if parts[3] else _is_flat(parts[0]):
            # Without the table of what was already written pickling is a third faster and the result smaller.
            buffer = io.BytesIO()
            pickler = pickle.Pickler(buffer, 5)
            pickler.fast = True
            pickler.dump(parts)
            return buffer.getvalue()
        return pickle.dumps(parts, 5)
    except Exception:  # noqa: BLE001 - user classes may raise anything; the caller tries the other ways
        return None


def _is_flat(values: Sequence[Any]) -> bool:
    """Whether the values look like short atoms or tuples of them, judged by the first and the last one.

    A guess is enough: leaving the table out never changes what is read back, except that objects which were shared or
    contain themselves are not, and the latter fail and take the other way.
    """
    return bool(values) and _is_short(values[0]) and _is_short(values[-1])


def _is_short(value: Any) -> bool:
    for atom in value if type(value) is tuple else (value,):
        if type(atom) not in _ATOMS or (type(atom) in (str, bytes) and len(atom) > _SHORT):
            return False
    return True


def _packed_keys(batch: RowBatch) -> list[Any] | int | None:
    match batch.keyed_by:
        case None:
            return None
        case KeyItem() as item:
            if item is not item.known and batch.fields is None:
                _ = (
                    batch.keys
                )  # raises here what would be raised at the receiver, which knows nothing of the selector
            return item.position
        case keys:
            return _shorten_keys(batch.values, keys)


def _shorten_keys(values: list[Any], keys: list[Any]) -> list[Any] | int:
    """The keys, or where they are found in the values: a position in each tuple, or ``_KEY_IS_VALUE``.

    Compares identities, which costs a tenth of sending the keys, and cannot confuse 1, 1.0 and True.
    """
    if not values:
        return keys
    first, key = values[0], keys[0]
    if first is key and all(map(is_, values, keys)):
        return _KEY_IS_VALUE
    if type(first) is tuple:
        for position, item in enumerate(first):
            try:
                if item is key and all(map(is_, map(itemgetter(position), values), keys)):
                    return position
            except (TypeError, IndexError, KeyError):
                break  # not every value is a tuple of that length
    return keys


def _decode_rows(payload: Payload) -> RowBatch:
    try:
        content, times, keys, apart = pickle.loads(payload)
    except (ImportError, AttributeError) as error:
        raise NotSerializable(
            f"a batch holds a value whose class this worker cannot import: {error}; "
            "install its module on every worker, or define the class in the program's main file"
        ) from error
    timestamps = None if times is None else memoryview(times).cast("q").tolist()
    if type(keys) is int:
        keys = content if keys == _KEY_IS_VALUE else KeyItem(keys)
    return RowBatch.of_fields(content, timestamps, keys) if apart else RowBatch(content, timestamps, keys)


def _not_serializable(batch: RowBatch, error: Exception) -> NotSerializable:
    values, keys = batch.values, batch.keyed_by
    for what, items in (("record", values), ("key", keys if isinstance(keys, list) else [])):
        for item in items:
            try:
                code_pickle.dumps(item)
            except Exception as reason:  # noqa: BLE001 - the question is only whether it can be pickled
                return NotSerializable(
                    f"the {what} {_shown(item)} of type {type(item).__module__}.{type(item).__qualname__} cannot be "
                    f"sent to another worker: {reason}; emit values that pickle can take, or define __reduce__"
                )
    return NotSerializable(f"a batch of {len(values)} records cannot be sent to another worker: {error}")


def _shown(item: object) -> str:
    try:
        text = repr(item)
    except Exception:  # noqa: BLE001 - an error in the user's __repr__ must not hide the first one
        return "(its repr fails)"
    return text if len(text) <= 200 else text[:197] + "..."


_TIMESTAMPS = "__timestamps__"


def _encode_columns(batch: ColumnBatch) -> tuple[int, Payload]:
    import pyarrow
    import pyarrow.ipc

    columns, kind = batch.columns, Kind.COLUMNS
    if batch.timestamps is not None:
        kind = Kind.TIMED_COLUMNS
        schema = columns.schema.append(pyarrow.field(_TIMESTAMPS, pyarrow.int64()))
        columns = pyarrow.RecordBatch.from_arrays([*columns.columns, batch.timestamps], schema=schema)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, columns.schema) as writer:
        writer.write_batch(columns)
    return kind, memoryview(sink.getvalue())


def _decode_columns(payload: Payload, timed: bool) -> ColumnBatch:
    import pyarrow
    import pyarrow.ipc

    with pyarrow.ipc.open_stream(pyarrow.py_buffer(payload)) as reader:
        columns = reader.read_next_batch()
    if not timed:
        return ColumnBatch(columns)
    last = columns.num_columns - 1
    schema = columns.schema.remove(last)
    timestamps = columns.column(last)
    kept = columns.select(list(range(last))).replace_schema_metadata(schema.metadata)
    return ColumnBatch(kept, timestamps)
