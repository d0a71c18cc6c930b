"""An option: a key, what kind of value it takes, its default, and what setting it does here."""

from typing import Any, Generic, TypeVar

T = TypeVar("T")


class ConfigOption(Generic[T]):
    """A key of a configuration with a kind and a default; made by :class:`ConfigOptions`."""

    __slots__ = ("default", "deprecated_keys", "effect", "key", "kind", "meaning")

    def __init__(
        self,
        key: str,
        kind: str,
        default: T | None,
        deprecated_keys: tuple[str, ...] = (),
        effect: str = "honoured",
        meaning: str = "",
    ) -> None:
        self.key = key
        self.kind = kind
        self.default = default
        self.deprecated_keys = deprecated_keys
        # honoured, accepted (known, no influence on results here) or refused (an error unless set to the default)
        self.effect = effect
        self.meaning = meaning

    @property
    def supported(self) -> bool:
        """Whether a program may set it; false for what would change results and does not exist here."""
        return self.effect != "refused"

    def with_deprecated_keys(self, *keys: str) -> "ConfigOption[T]":
        """The same option, also read from older keys."""
        return ConfigOption(self.key, self.kind, self.default, keys, self.effect, self.meaning)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigOption) and (
            (self.key, self.kind, self.default, self.deprecated_keys)
            == (other.key, other.kind, other.default, other.deprecated_keys)
        )

    def __hash__(self) -> int:
        return hash((self.key, self.kind))

    def __repr__(self) -> str:
        return f"ConfigOption({self.key!r}, {self.kind}, default={self.default!r})"


class ConfigOptions:
    """Makes options.

    >>> ConfigOptions.key("shop.limit").int_type().default_value(5)
    ConfigOption('shop.limit', int, default=5)
    """

    @staticmethod
    def key(key: str) -> "ConfigOptions.OptionBuilder":
        """Start with the key."""
        return ConfigOptions.OptionBuilder(key)

    class OptionBuilder:
        """Asks for the kind of the values."""

        __slots__ = ("_key",)

        def __init__(self, key: str) -> None:
            self._key = key

        def boolean_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[bool]":
            """True or false."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "boolean")

        def int_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[int]":
            """Integers of 32 bits."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "int")

        def long_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[int]":
            """Integers of 64 bits."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "long")

        def float_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[float]":
            """Floating-point numbers."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "float")

        def double_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[float]":
            """Floating-point numbers."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "double")

        def string_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[str]":
            """Text."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "string")

        def duration_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[Any]":
            """Lengths of time, as ``datetime.timedelta``."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "duration")

        def memory_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[int]":
            """Sizes of memory, in bytes."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "memory")

        def map_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[dict[str, str]]":
            """Pairs of texts."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "map")

        def list_type(self) -> "ConfigOptions.TypedConfigOptionBuilder[list[str]]":
            """Lists of texts."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, "list")

        def enum_type(self, *choices: str) -> "ConfigOptions.TypedConfigOptionBuilder[str]":
            """One of a few words."""
            return ConfigOptions.TypedConfigOptionBuilder(self._key, f"enum:{'|'.join(choices)}")

    class TypedConfigOptionBuilder(Generic[T]):
        """Asks for the default."""

        __slots__ = ("_key", "_kind")

        def __init__(self, key: str, kind: str) -> None:
            self._key = key
            self._kind = kind

        def default_value(self, value: T) -> ConfigOption[T]:
            """The option with a default."""
            return ConfigOption(self._key, self._kind, value)

        def no_default_value(self) -> ConfigOption[T]:
            """The option without a default: unset it is None."""
            return ConfigOption(self._key, self._kind, None)
