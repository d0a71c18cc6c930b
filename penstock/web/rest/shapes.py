"""What JSON looks like, written as JSON would be, and what it is as a schema of JSON Schema.

A type stands for its values, a list for a list of what it holds, a dictionary for an object with these fields, which may have
more.
"""

from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class OrNull:
    """A value that may be null."""

    shape: Any


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few texts."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with any fields, all of one kind."""

    shape: Any


@dataclass(frozen=True, slots=True)
class Optional:
    """A field that may be left out."""

    shape: Any
    meaning: str = ""


def schema_of(shape: Any) -> Schema:
    """The schema of a shape.

    >>> schema_of({"id": str, "sizes": [int]})["required"]
    ['id', 'sizes']
    >>> schema_of(OrNull(int))
    {'type': ['integer', 'null']}
    """
    match shape:
        case Optional(inner, meaning):
            return {**schema_of(inner), **({"description": meaning} if meaning else {})}
        case OrNull(inner):
            schema = schema_of(inner)
            if isinstance(schema.get("type"), str):
                return {**schema, "type": [schema["type"], "null"]}
            return {"anyOf": [schema, {"type": "null"}]}
        case OneOf(texts):
            return {"type": "string", "enum": list(texts)}
        case MapOf(inner):
            return {"type": "object", "additionalProperties": schema_of(inner)}
        case dict():
            required = [name for name, field in shape.items() if not isinstance(field, Optional)]
            properties = {name: schema_of(field) for name, field in shape.items()}
            return {
                "type": "object",
                "properties": properties,
                **({"required": required} if required else {}),
            }
        case [inner]:
            return {"type": "array", "items": schema_of(inner)}
        case type() if shape in _TYPES:
            return {"type": _TYPES[shape]}
    return {}


def text_of(shape: Any) -> str:
    """A shape for people, in one line.

    >>> text_of({"jobs": [{"id": str}]})
    '{jobs: [{id: string}]}'
    """
    match shape:
        case Optional(inner, _):
            return f"{text_of(inner)}?"
        case OrNull(inner):
            return f"{text_of(inner)} or null"
        case OneOf(texts):
            return " or ".join(texts)
        case MapOf(inner):
            return f"{{NAME: {text_of(inner)}}}"
        case dict():
            return "{" + ", ".join(f"{name}: {text_of(field)}" for name, field in shape.items()) + "}"
        case [inner]:
            return f"[{text_of(inner)}]"
        case type() if shape in _TYPES:
            return _TYPES[shape]
    return "any"
