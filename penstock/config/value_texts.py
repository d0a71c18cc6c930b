"""Between the values of options and their texts.

A kind of value is a word: boolean, int, long, float, double, string, duration, memory, list, map, or ``enum:A|B``.
Durations are ``datetime.timedelta``, memory sizes are bytes.
"""

from datetime import timedelta
from typing import Any

from penstock.config.quantities import format_duration, parse_duration, parse_memory_size

_RANGES = {"int": 2**31, "long": 2**63}


def parse_value(kind: str, value: Any) -> Any:
    """The value of an option from what was stored for it; raises ValueError if it does not fit.

    >>> parse_value("duration", "10 s"), parse_value("list", "a;b"), parse_value("enum:NONE|ALL", "all")
    (datetime.timedelta(seconds=10), ['a', 'b'], 'ALL')
    """
    if kind.startswith("enum:"):
        return _parse_choice(kind[5:].split("|"), value)
    return _PARSERS[kind](kind, value)


def value_text(value: Any) -> str:
    """The text that stands for a value in a configuration.

    >>> value_text(True), value_text(timedelta(minutes=1)), value_text(["a", "b"]), value_text({"k": 1})
    ('true', '1 min', '[a, b]', '{k: 1}')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return format_duration(_microseconds(value) * 1_000)
    if isinstance(value, (bytes, bytearray)):
        import base64

        return f"!!binary |-\n  {base64.b64encode(value).decode()}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join([_quoted(value_text(item)) for item in value])}]"
    if isinstance(value, dict):
        pairs = [f"{_quoted(value_text(key))}: {_quoted(value_text(item))}" for key, item in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if hasattr(value, "to_nanos"):  # a Duration, which lives above the configuration
        return format_duration(value.to_nanos())
    if hasattr(value, "name") and hasattr(value, "value"):
        return str(value.name)
    return str(value)


def parse_list(text: str) -> list[str]:
    """Items between semicolons, or of a YAML list.

    >>> parse_list("a;'b;c'"), parse_list("[a, 'b, c']"), parse_list("")
    (['a', 'b;c'], ['a', 'b, c'], [])
    """
    text = text.strip()
    if text.startswith("- "):
        return [_unquoted(line.strip()[2:]) for line in text.splitlines() if line.strip()]
    if text.startswith("[") and text.endswith("]"):
        return [_unquoted(item) for item in _split(text[1:-1], ",")]
    return [_unquoted(item) for item in _split(text, ";")]


def parse_map(text: str) -> dict[str, str]:
    """Pairs ``key:value`` between commas, or of a YAML map.

    >>> parse_map("a:1,b:'x,y'"), parse_map("{a: 1}")
    ({'a': '1', 'b': 'x,y'}, {'a': '1'})
    """
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1]
    found = {}
    for item in _split(text, ","):
        key, *rest = _split(item, ":")
        if not rest:
            raise ValueError(f"{item!r} is not a pair; write key:value,key:value")
        found[_unquoted(key)] = _unquoted(":".join(rest))
    return found


def _parse_boolean(_: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    lowered = str(value).lower()
    if lowered not in ("true", "false"):
        raise ValueError(f"expected true or false, got {value!r}")
    return lowered == "true"


def _parse_integer(kind: str, value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"expected a whole number, got {value!r}")
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise ValueError(f"expected a whole number, got {value!r}") from None
    limit = _RANGES[kind]
    if not -limit <= number < limit:
        raise ValueError(f"expected a whole number from {-limit} to {limit - 1}, got {number}")
    return number


def _parse_float(_: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"expected a number, got {value!r}") from None


def _parse_duration(_: str, value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if hasattr(value, "to_nanos"):
        return timedelta(microseconds=value.to_nanos() // 1_000)
    return timedelta(microseconds=parse_duration(str(value)) // 1_000)


def _parse_memory(_: str, value: Any) -> int:
    return value if type(value) is int else parse_memory_size(str(value))


def _parse_string(_: str, value: Any) -> str:
    return value_text(value)


def _parse_list(_: str, value: Any) -> list[str]:
    return list(value) if isinstance(value, (list, tuple)) else parse_list(str(value))


def _parse_map(_: str, value: Any) -> dict[str, str]:
    return dict(value) if isinstance(value, dict) else parse_map(str(value))


def _parse_choice(choices: list[str], value: Any) -> str:
    text = value_text(value)
    wanted = text.lower().replace("_", "-")
    for choice in choices:
        if choice.lower().replace("_", "-") == wanted:
            return choice
    raise ValueError(f"expected one of {', '.join(choices)}, got {text!r}")


_PARSERS = {
    "boolean": _parse_boolean,
    "int": _parse_integer,
    "long": _parse_integer,
    "float": _parse_float,
    "double": _parse_float,
    "string": _parse_string,
    "duration": _parse_duration,
    "memory": _parse_memory,
    "list": _parse_list,
    "map": _parse_map,
}


def _split(text: str, separator: str) -> list[str]:
    """The trimmed parts between separators that stand outside of quotes; empty parts are left out."""
    parts, part, quote = [], "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == separator:
            parts.append(part.strip())
            part = ""
            continue
        part += character
    parts.append(part.strip())
    return [part for part in parts if part]


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace(text[0] * 2, text[0])
    return text


def _quoted(text: str) -> str:
    if text and text == text.strip() and not any(character in text for character in ",;:[]{}'\"#"):
        return text
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _microseconds(value: timedelta) -> int:
    return value.days * 86_400_000_000 + value.seconds * 1_000_000 + value.microseconds
