"""Values of declared types as the JSON that Flink writes, and JSON of another kind that stands for such a value."""

import json
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any

from penstock.data.text_forms import double_text, float_text, instant_text
from penstock.data.type_collections import MapTypeInfo
from penstock.data.type_composites import RowTypeInfo, TupleTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.types import Types
from penstock.formats.json_values import decimal_text
from penstock.formats.type_texts import FLOATS, INTEGERS, float_of, integer_of, moment_text, writer_of

Text = Callable[[Any], str]
Convert = Callable[[Any], Any]

# Floats beyond it are not next to each other, so that a digit of the number's text may be lost.
_LARGEST_EXACT = 2.0**53
_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())


def text_of_type(kind: TypeInformation, otherwise: Text) -> Text:
    """What makes the JSON of a value of a type; ``otherwise`` does where a type says nothing about its values.

    >>> text_of_type(Types.ROW_NAMED(["a", "b"], [Types.FLOAT(), Types.BIG_INT()]), repr)((0.5, None))
    '{"a":0.5,"b":null}'
    """
    write = _text_of_present(kind, otherwise)
    return lambda value: "null" if value is None else write(value)


def _text_of_present(kind: TypeInformation, otherwise: Text) -> Text:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, RowTypeInfo):
        return _row(kind, otherwise)
    if isinstance(kind, TupleTypeInfo):
        parts = [text_of_type(part, otherwise) for part in kind.get_field_types()]
        return lambda value: f"[{','.join([write(item) for write, item in zip(parts, value, strict=True)])}]"
    if isinstance(kind, MapTypeInfo):
        write_value = text_of_type(kind.value_type, otherwise)
        return lambda value: (
            f"{{{','.join([f'{encode_basestring(_key(name))}:{write_value(item)}' for name, item in value.items()])}}}"
        )
    element = getattr(kind, "element_type", None)
    if element is not None:
        write_element = text_of_type(element, otherwise)
        return lambda value: f"[{','.join(map(write_element, value))}]"
    return otherwise


def _key(name: Any) -> str:
    return name if isinstance(name, str) else str(name)


def _row(kind: RowTypeInfo, otherwise: Text) -> Text:
    fields = [
        (f"{encode_basestring(name)}:", text_of_type(part, otherwise))
        for name, part in zip(kind.get_field_names(), kind.get_field_types(), strict=True)
    ]
    return lambda row: (
        f"{{{','.join([name + write(value) for (name, write), value in zip(fields, row, strict=True)])}}}"
    )


def _number(text: Callable[[float], str]) -> Text:
    """Numbers that JSON has no form for are texts, as Flink writes them."""
    return lambda value: text(value) if value - value == 0.0 else f'"{text(value)}"'


def _quoted(kind: TypeInformation) -> Text:
    write = writer_of(kind)
    assert write is not None
    return lambda value: f'"{write(value)}"'


_PLAIN: dict[TypeInformation, Text] = {
    **dict.fromkeys(INTEGERS, repr),
    Types.STRING(): encode_basestring,
    Types.CHAR(): encode_basestring,
    Types.BOOLEAN(): lambda value: "true" if value else "false",
    Types.FLOAT(): _number(float_text),
    Types.DOUBLE(): _number(double_text),
    Types.BIG_DEC(): decimal_text,
    **dict.fromkeys([Types.SQL_DATE(), Types.LOCAL_DATE()], _quoted(Types.SQL_DATE())),
    **dict.fromkeys(
        [Types.SQL_TIME(), Types.LOCAL_TIME(), Types.SQL_TIMESTAMP(), Types.LOCAL_DATE_TIME()],
        lambda value: f'"{moment_text(value)}Z"',
    ),
    Types.INSTANT(): lambda value: f'"{instant_text(value)}"',
    _BYTES: _quoted(_BYTES),
}


def loosened(kind: TypeInformation) -> Convert:
    """What makes of a parsed value that is not of a type the value that it stands for, as Flink does.

    ``"7"`` is a number where one is declared, and ``7`` a text. What stands for nothing stays, to be refused.

    >>> loosened(Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()]))({"a": "7", "b": [1.5]})
    {'a': 7, 'b': '[1.5]'}
    """
    if isinstance(kind, RowTypeInfo):
        fields = dict(zip(kind.get_field_names(), map(loosened, kind.get_field_types()), strict=True))
        return lambda value: (
            {name: fields[name](item) if name in fields else item for name, item in value.items()}
            if isinstance(value, dict)
            else value
        )
    if isinstance(kind, MapTypeInfo):
        loosen = loosened(kind.value_type)
        return lambda value: (
            {name: loosen(item) for name, item in value.items()} if isinstance(value, dict) else value
        )
    element = getattr(kind, "element_type", None)
    if element is not None and kind != _BYTES:
        loosen_element = loosened(element)
        return lambda value: list(map(loosen_element, value)) if isinstance(value, list) else value
    if kind in INTEGERS:
        return _integer
    if kind in FLOATS:
        return _float
    if kind == Types.BOOLEAN():
        return lambda value: value.strip().lower() == "true" if isinstance(value, str) else value
    return _text if kind == Types.STRING() else _same


def _same(value: Any) -> Any:
    return value


def _integer(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_EXACT:
        return int(value)
    return integer_of(value) if isinstance(value, str) else value


def _float(value: Any) -> Any:
    return float_of(value) if isinstance(value, str) else value


def _text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
