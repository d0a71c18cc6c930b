"""Which type of Arrow a column has for a declared type, of ``Types`` or of ``DataTypes``."""

from typing import TYPE_CHECKING, Any

from penstock.data import logical_types as sql
from penstock.data.logical_conversion import a_row_type, type_information_of
from penstock.data.type_composites import RowTypeInfo
from penstock.data.types import Types
from penstock.errors import ProgramError

if TYPE_CHECKING:
    import pyarrow

DeclaredRow = RowTypeInfo | sql.RowType
"""A row type of ``Types``, or one of ``DataTypes``, which says more: digits of decimals, and which columns have no None."""


def checked_row(row_type: Any) -> DeclaredRow:
    """The argument ``row_type`` of a format, refused where columns cannot hold such rows."""
    a_row_type("row_type", row_type)
    arrow_schema(row_type)
    return row_type  # type: ignore[no-any-return]


def arrow_schema(row_type: DeclaredRow) -> "pyarrow.Schema":
    """The Arrow schema for rows of a declared type.

    >>> arrow_schema(Types.ROW_NAMED(["a"], [Types.INT()])).field("a").type
    DataType(int32)
    """
    import pyarrow

    if isinstance(row_type, sql.RowType):
        return pyarrow.schema(_sql_fields(row_type))
    fields = zip(row_type.get_field_names(), row_type.get_field_types(), strict=True)
    return pyarrow.schema([(name, arrow_type(kind)) for name, kind in fields])


def arrow_type(kind: Any) -> "pyarrow.DataType":
    """The Arrow type for a type of ``Types``.

    :raises ProgramError: where Arrow has none.
    """
    import pyarrow

    plain = {
        Types.STRING(): pyarrow.string(),
        Types.CHAR(): pyarrow.string(),
        Types.BOOLEAN(): pyarrow.bool_(),
        Types.BYTE(): pyarrow.int8(),
        Types.SHORT(): pyarrow.int16(),
        Types.INT(): pyarrow.int32(),
        Types.LONG(): pyarrow.int64(),
        Types.FLOAT(): pyarrow.float32(),
        Types.DOUBLE(): pyarrow.float64(),
        Types.SQL_DATE(): pyarrow.date32(),
        Types.LOCAL_DATE(): pyarrow.date32(),
        # Coarser ones would cut off what Python's own times hold.
        **dict.fromkeys([Types.SQL_TIME(), Types.LOCAL_TIME()], pyarrow.time64("us")),
        **dict.fromkeys([Types.SQL_TIMESTAMP(), Types.LOCAL_DATE_TIME()], pyarrow.timestamp("us")),
        Types.INSTANT(): pyarrow.timestamp("us", "UTC"),
        Types.BIG_DEC(): pyarrow.decimal128(38, 18),
        Types.PRIMITIVE_ARRAY(Types.BYTE()): pyarrow.binary(),
    }
    if kind in plain:
        return plain[kind]
    if isinstance(kind, RowTypeInfo):
        return pyarrow.struct(list(arrow_schema(kind)))
    if hasattr(kind, "element_type"):
        return pyarrow.list_(arrow_type(kind.element_type))
    if hasattr(kind, "value_type"):
        return pyarrow.map_(arrow_type(kind.key_type), arrow_type(kind.value_type))
    raise ProgramError(
        f"columns cannot hold values of type {kind}; use a type of Types that has one form only"
    )


def _sql_fields(row_type: sql.RowType) -> "list[pyarrow.Field]":
    import pyarrow

    return [
        pyarrow.field(field.name, _sql_type(field.data_type), field.data_type.is_nullable())
        for field in row_type
    ]


def _sql_type(kind: sql.DataType) -> "pyarrow.DataType":
    import pyarrow

    match kind:
        case sql.DecimalType():
            return pyarrow.decimal128(kind.precision, kind.scale)
        case sql.RowType():
            return pyarrow.struct(_sql_fields(kind))
        case sql.ArrayType():
            element = kind.element_type
            return pyarrow.list_(pyarrow.field("item", _sql_type(element), element.is_nullable()))
        case sql.MapType():
            value = kind.value_type
            value_field = pyarrow.field("value", _sql_type(value), value.is_nullable())
            return pyarrow.map_(pyarrow.field("key", _sql_type(kind.key_type), nullable=False), value_field)
    return arrow_type(type_information_of(kind))
