"""``project``: tuples of some fields."""

from operator import itemgetter
from typing import Any

from penstock.contracts.effects import Effect
from penstock.data.row import Row
from penstock.data.types import TupleTypeInfo, Types
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller


class Projection:
    """Picks fields by position out of tuples, lists and Rows; always yields a tuple, as Flink does."""

    effect = Effect.NONE

    def __init__(self, fields: tuple[int, ...], output_type: Any) -> None:
        self.fields = fields
        self.output_type = output_type
        get = itemgetter(*fields)
        self._get = get if len(fields) > 1 else lambda value: (get(value),)

    @staticmethod
    def of(fields: tuple[Any, ...], input_type: Any) -> "Projection":
        """Check the positions against the declared type, where there is one.

        :raises ProgramError: for no positions, for something else than positions, for one that the type does not have.
        """
        where = origin_of_caller()
        if not fields:
            raise ProgramError(f"project needs at least one position ({where})")
        wrong = [
            field for field in fields if isinstance(field, bool) or not isinstance(field, int) or field < 0
        ]
        if wrong:
            raise ProgramError(f"project takes positions from 0 on, not {wrong[0]!r} ({where})")
        if input_type is None:
            return Projection(fields, None)
        if not isinstance(input_type, TupleTypeInfo):
            raise ProgramError(
                f"Only Tuple DataStreams can be projected, and this is one of {input_type} ({where})"
            )
        types = input_type.get_field_types()
        beyond = [field for field in fields if field >= len(types)]
        if beyond:
            raise ProgramError(f"project({beyond[0]}): the records have {len(types)} fields ({where})")
        return Projection(fields, Types.TUPLE([types[field] for field in fields]))

    def __call__(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, Row):
            return tuple(value[field] for field in self.fields)
        return self._get(value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Projection, (self.fields, self.output_type))
