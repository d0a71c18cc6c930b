"""What every declared type can do: check and normalise a list of values at C speed, or say which value does not fit."""

from typing import Any

from penstock.errors import TypeMismatch

NONE_KIND = type(None)


class Misfit(Exception):
    """A value that does not fit, on its way up through the types that contain it; each adds its piece of the path."""

    def __init__(self, expected: str, value: Any) -> None:
        super().__init__(expected)
        self.expected = expected
        self.value = value
        self.path: list[str] = []

    def inside(self, piece: str) -> "Misfit":
        """Add the name of the field, element or key in which the value stands."""
        self.path.append(piece)
        return self

    def as_error(self, declared: object, what: str = "a value") -> TypeMismatch:
        """The error that the user sees; ``what`` does not fit."""
        where = ""
        for piece in reversed(self.path):
            where += piece if piece.startswith("[") or not where else f".{piece}"
        got = "None" if self.value is None else f"{shortened(self.value)} of type {type(self.value).__name__}"
        field = f" in field {where}" if where else ""
        return TypeMismatch(
            f"{what} does not fit its declared type {declared}: expected {self.expected}{field}, got {got}; "
            "change the value, or the type that is declared for it"
        )


def shortened(value: Any) -> str:
    """The text of a value, cut where it would fill the screen."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


class TypeInformation:
    """The declared type of the records of a stream, of a state or of a field.

    Make one with :class:`penstock.data.types.Types`. Two types that are written the same way are equal and hash alike.
    """

    __slots__ = ()

    # Whether None is a value of the type by itself. Every field of a row and every value of a map may be None.
    accepts_none = False

    def convert_batch(self, values: list[Any]) -> list[Any]:
        """The values as the next operator is to see them: the same list where nothing had to change.

        Raises TypeMismatch for a value that does not fit. Costs 20 to 30 ns a value of a plain type.
        """
        try:
            return self.fit(values, self.accepts_none)
        except Misfit as misfit:
            raise misfit.as_error(self) from None

    def convert(self, value: Any) -> Any:
        """One value as the next operator is to see it; raises TypeMismatch if it does not fit."""
        return self.convert_batch([value])[0]

    def find_misfit(self, values: list[Any]) -> int | None:
        """The position of the first value that does not fit, or None if all do."""
        try:
            self.fit(values, self.accepts_none)
            return None
        except Misfit:
            for index, value in enumerate(values):
                try:
                    self.fit([value], self.accepts_none)
                except Misfit:
                    return index
            raise

    def fit(self, values: list[Any], nullable: bool) -> list[Any]:
        """As :meth:`convert_batch`, where the surroundings decide whether None is allowed; raises Misfit."""
        kinds = set(map(type, values))
        if NONE_KIND not in kinds:
            return self.fit_present(values, kinds) if kinds else values
        if not nullable and not self.accepts_none:
            raise Misfit(self.expectation(), None)
        kinds.discard(NONE_KIND)
        if not kinds:
            return values
        present = [value for value in values if value is not None]
        fitted = self.fit_present(present, kinds)
        if fitted is present:
            return values
        following = iter(fitted)
        return [None if value is None else next(following) for value in values]

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        """Fit a list of at least one value, none of them None; ``kinds`` holds the classes of the values."""
        return values

    def exact_test(self, place: str) -> str:
        """Source of a test that holds only if what stands at ``place``, an expression, fits as it is; cheaper than `fit`.

        ``False`` where there is no such test. None does not hold; ``Row`` and ``Instant`` are known names.
        """
        return "False"

    def expectation(self) -> str:
        """What a value has to be, for error messages."""
        return str(self)

    def need_conversion(self) -> bool:
        """Whether a value of the type may look different after :meth:`to_internal_type`."""
        return False

    def to_internal_type(self, obj: Any) -> Any:
        """The value as an operator receives it; the same as :meth:`convert`, except that None stays None."""
        return None if obj is None else self.convert(obj)

    def from_internal_type(self, obj: Any) -> Any:
        """The value as the user's program receives it, which is how operators hold it."""
        return obj

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.parts() == other.parts()

    def __hash__(self) -> int:
        return hash((type(self).__name__, *map(_hashable, self.parts())))

    def parts(self) -> tuple[Any, ...]:
        """What makes two types of the same class equal."""
        return ()

    def __str__(self) -> str:
        return repr(self)


def _hashable(part: Any) -> Any:
    return tuple(part) if isinstance(part, list) else part


def out_of_numpy(value: Any) -> Any:
    """A numpy scalar as the Python value it stands for; anything else as it is."""
    if type(value).__module__ == "numpy" and hasattr(value, "item") and not getattr(value, "shape", ()):
        return value.item()
    return value
