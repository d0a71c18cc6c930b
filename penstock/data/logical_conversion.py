"""From types of SQL to the types of ``Types``, which say what values a stream has."""

from typing import Any

from penstock.data import logical_types as sql
from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.types import Types
from penstock.errors import ProgramError

_MILLISECONDS = 3

_PLAIN: dict[type[sql.DataType], Any] = {
    sql.CharType: Types.STRING,
    sql.VarCharType: Types.STRING,
    sql.BooleanType: Types.BOOLEAN,
    sql.TinyIntType: Types.BYTE,
    sql.SmallIntType: Types.SHORT,
    sql.IntType: Types.INT,
    sql.BigIntType: Types.LONG,
    sql.FloatType: Types.FLOAT,
    sql.DoubleType: Types.DOUBLE,
    sql.DecimalType: Types.BIG_DEC,
    sql.DateType: Types.SQL_DATE,
    sql.LocalZonedTimestampType: Types.INSTANT,
}


def type_information_of(data_type: sql.DataType) -> TypeInformation:
    """The type of the values that a column of a type of SQL has in a stream. Fields of rows may be None whatever it says.

    >>> type_information_of(sql.RowType().add("id", sql.IntType()).add("tags", sql.ArrayType(sql.VarCharType(9))))
    RowTypeInfo(id: Integer, tags: ListTypeInfo<String>)

    :raises ProgramError: for intervals, NULL, and views of accumulators, which no stream has.
    """
    make = _PLAIN.get(type(data_type))
    if make is not None:
        return make()  # type: ignore[no-any-return]
    match data_type:
        case sql.BinaryType() | sql.VarBinaryType():
            return Types.PRIMITIVE_ARRAY(Types.BYTE())
        case sql.TimeType():
            return Types.SQL_TIME() if data_type.precision <= _MILLISECONDS else Types.LOCAL_TIME()
        case sql.TimestampType():
            is_coarse = data_type.precision <= _MILLISECONDS
            return Types.SQL_TIMESTAMP() if is_coarse else Types.LOCAL_DATE_TIME()
        case sql.ArrayType():
            return Types.LIST(type_information_of(data_type.element_type))
        case sql.MultisetType():
            return Types.MAP(type_information_of(data_type.element_type), Types.INT())
        case sql.MapType():
            return Types.MAP(
                type_information_of(data_type.key_type), type_information_of(data_type.value_type)
            )
        case sql.RowType():
            kinds = [type_information_of(kind) for kind in data_type.field_types()]
            return Types.ROW_NAMED(data_type.field_names(), kinds)
    raise ProgramError(f"a stream has no values of type {data_type!r}; use another type for them")


def a_type_of_values(what: str, given: Any) -> TypeInformation:
    """A type of ``Types``, or of ``DataTypes`` as one of ``Types``; raises ``ProgramError`` for anything else."""
    if isinstance(given, sql.DataType):
        return type_information_of(given)
    if isinstance(given, TypeInformation):
        return given
    raise ProgramError(f"{what} is one of Types, as Types.INT(), or of DataTypes, not {given!r}")


def a_row_type(what: str, given: Any) -> RowTypeInfo:
    """A row type of ``Types``, or of ``DataTypes`` as one of ``Types``; raises ``ProgramError`` for anything else."""
    found = type_information_of(given) if isinstance(given, sql.RowType) else given
    if not isinstance(found, RowTypeInfo):
        raise ProgramError(
            f"{what} is a row type, as Types.ROW_NAMED(names, types) or DataTypes.ROW(fields) makes, not {given!r}"
        )
    return found
