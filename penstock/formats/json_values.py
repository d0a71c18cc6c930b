"""Values without a declared type as JSON: what JSON has a form for, and rows, objects, dates, decimals, bytes."""

import dataclasses
import json
from enum import Enum
from json.encoder import encode_basestring
from typing import Any

from penstock.data.row import Row
from penstock.data.text_forms import double_text, instant_text
from penstock.data.time import Instant
from penstock.data.type_information import out_of_numpy
from penstock.data.types import Types
from penstock.formats.type_texts import moment_text, writer_of

_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())


def text_of_value(value: Any) -> str:
    """The JSON of a value.

    Numbers that JSON has no form for are texts, as Flink writes them; decimals keep all their digits.

    >>> from decimal import Decimal
    >>> text_of_value({"a": [1, None], "b": Decimal("1.50"), "c": float("nan")})
    '{"a":[1,null],"b":1.50,"c":"NaN"}'

    :raises TypeError: for a value that has no form in JSON.
    :raises ValueError: for one that contains itself.
    """
    try:
        return _encode(value)
    except (ValueError, RecursionError):
        # What Python's encoder has no way to write, as it writes numbers itself.
        try:
            return _written(value)
        except RecursionError:
            raise ValueError("it contains itself, or is nested too deeply") from None


def number_text(value: float) -> str:
    """A floating-point number that JSON has a form for, or its name as a text."""
    return float.__repr__(value) if value - value == 0.0 else f'"{double_text(value)}"'


def decimal_text(value: Any) -> str:
    """A decimal number that JSON has a form for, or its name as a text.

    >>> from decimal import Decimal
    >>> decimal_text(Decimal("1E+3")), decimal_text(Decimal("NaN"))
    ('1E+3', '"NaN"')
    """
    return str(value) if value.is_finite() else f'"{value}"'


class _WithDecimal(ValueError):
    """There is a number that Python's encoder cannot write."""


def _plain(value: Any) -> Any:
    """A value that is not JSON's own, as one that is nearer to it."""
    import datetime
    from decimal import Decimal

    if isinstance(value, Row):
        return value.as_dict() if value._names is not None else list(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Decimal):
        raise _WithDecimal
    if isinstance(value, (datetime.datetime, datetime.time)):
        return f"{moment_text(value)}Z" if value.tzinfo is None else value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Instant):
        return instant_text(value)
    if isinstance(value, (bytes, bytearray)):
        write = writer_of(_BYTES)
        assert write is not None
        return write(value)
    if isinstance(value, Enum):
        return value.value
    bare = out_of_numpy(value)
    if bare is not value:
        return bare
    raise TypeError(
        f"{value!r} of type {type(value).__name__} has no form in JSON; map it to one that has before"
    )


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode


def _written(value: Any) -> str:
    from decimal import Decimal

    if value is None or isinstance(value, (str, int)):
        return _encode(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, dict):
        return f"{{{','.join([f'{_name(name)}:{_written(item)}' for name, item in value.items()])}}}"
    if isinstance(value, (list, tuple)) and not isinstance(value, Row):
        return f"[{','.join(map(_written, value))}]"
    return _written(_plain(value))


def _name(name: Any) -> str:
    """The name of a field, by the rules of Python's encoder."""
    if isinstance(name, float) and name - name != 0.0:
        return number_text(name)
    return encode_basestring(name) if isinstance(name, str) else _encode({name: 0})[1:-3]
