"""The row type that a JSON schema describes."""

import json
from typing import Any

from penstock.data.type_information import TypeInformation
from penstock.data.types import Types
from penstock.errors import ProgramError


def type_of_json_schema(json_schema: str) -> TypeInformation:
    """The type of the values that a schema allows.

    >>> type_of_json_schema('{"type": "object", "properties": {"a": {"type": "string"}}}')
    RowTypeInfo(a: String)
    """
    try:
        schema = json.loads(json_schema)
    except (ValueError, TypeError) as error:
        raise ProgramError(f"the JSON schema cannot be read: {error}") from error
    return _type_of(schema, schema)


def _type_of(node: Any, root: Any) -> TypeInformation:
    if not isinstance(node, dict):
        raise ProgramError(f"the JSON schema has {node!r} where an object describes a type")
    if "$ref" in node:
        return _type_of(_followed(node["$ref"], root), root)
    kind = node.get("type")
    if isinstance(kind, list):
        kinds = [name for name in kind if name != "null"]
        kind = kinds[0] if len(kinds) == 1 else None
    match kind:
        case "object":
            fields = node.get("properties", {})
            return Types.ROW_NAMED(list(fields), [_type_of(part, root) for part in fields.values()])
        case "array":
            return _array(node.get("items"), root)
        case "string":
            return _text(node)
        case "number" | "integer":
            return Types.BIG_DEC()
        case "boolean":
            return Types.BOOLEAN()
    raise ProgramError(
        f"the JSON schema has a node of type {node.get('type')!r}, which no type of rows stands for; "
        "give the type with type_info"
    )


def _array(items: Any, root: Any) -> TypeInformation:
    if isinstance(items, list):
        return Types.ROW([_type_of(part, root) for part in items])
    return Types.OBJECT_ARRAY(_type_of(items, root))


def _text(node: dict[str, Any]) -> TypeInformation:
    if node.get("contentEncoding") == "base64":
        return Types.PRIMITIVE_ARRAY(Types.BYTE())
    match node.get("format"):
        case "date-time":
            return Types.SQL_TIMESTAMP()
        case "date":
            return Types.SQL_DATE()
        case "time":
            return Types.SQL_TIME()
    return Types.STRING()


def _followed(reference: str, root: Any) -> Any:
    found = root
    for name in reference.removeprefix("#").strip("/").split("/"):
        if not reference.startswith("#") or not isinstance(found, dict) or name not in found:
            raise ProgramError(f"the JSON schema refers to {reference!r}, which is not in it")
        found = found[name]
    return found
