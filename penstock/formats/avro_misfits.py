"""What is wrong with a record that a schema of Avro does not take: the field, the type expected, the value."""

from typing import Any

from penstock.data.type_information import shortened
from penstock.errors import OutsideError, TypeMismatch
from penstock.formats.extras import require


def misfit(record: Any, schema: Any, error: Exception) -> TypeMismatch:
    """The error for a record that could not be written by a parsed schema."""
    validation = require("fastavro.validation", "avro", "Avro")
    try:
        validation.validate(record, schema)
    except validation.ValidationError as found:
        return TypeMismatch(_described(found.errors, schema, record))
    except (TypeError, ValueError, LookupError, AttributeError):
        pass  # what validates has not the words either
    return TypeMismatch(f"{shortened(record)} does not fit the Avro schema: {error}")


def _described(errors: Any, schema: Any, record: Any) -> str:
    first = errors[0]
    name = schema.get("name", "the schema") if isinstance(schema, dict) else "the schema"
    if not first.field:
        return f"a record of {name} is expected, got {shortened(first.datum)} of type {type(first.datum).__name__}"
    expected = " or ".join(dict.fromkeys(_named(each.schema) for each in errors if each.field == first.field))
    field = first.field.removeprefix(f"{name}.")
    return (
        f"the field {field} of {name} is declared as {expected} in the Avro schema, got {shortened(first.datum)} of type "
        f"{type(first.datum).__name__}; the record was {shortened(record)}"
    )


def _named(schema: Any) -> str:
    """A type of Avro in a word or two.

    >>> _named({"type": "array", "items": "int"}), _named(["null", "long"]), _named({"type": "record", "name": "R"})
    ('array of int', 'null or long', 'record R')
    """
    if isinstance(schema, list):
        return " or ".join(map(_named, schema))
    if not isinstance(schema, dict):
        return str(schema)
    kind = schema.get("logicalType") or schema["type"]
    inner = schema.get("items") or schema.get("values")
    if inner is not None:
        return f"{kind} of {_named(inner)}"
    return f"{kind} {schema['name']}" if "name" in schema else _named(kind)


def of_another_schema(path: str, error: BaseException, written: Any, wanted: Any) -> OutsideError:
    """The error for a file whose schema cannot be read as the one that is wanted."""
    failure = OutsideError(
        f"{path} cannot be read by the schema that was given: {error}; it was written with {_fields(written)}, and "
        f"{_fields(wanted)} are wanted; correct the schema, or give the new fields defaults"
    )
    failure.retryable = False
    return failure


def _fields(schema: Any) -> str:
    fields = schema.get("fields", []) if isinstance(schema, dict) else []
    return ", ".join(f"{field['name']}: {_named(field['type'])}" for field in fields) or _named(schema)
