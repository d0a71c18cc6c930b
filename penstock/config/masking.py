"""Settings as they may be shown: what is secret in them is not."""

from collections.abc import Mapping
from typing import Final

HIDDEN: Final = "******"
# The words by which Flink knows a secret, too; found anywhere in a key.
_SECRET_WORDS: Final = (
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "api-key",
    "access-key",
    "access.key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
)


def is_secret(key: str) -> bool:
    """Whether the value of a key must not be shown.

    >>> is_secret("s3.secret-key"), is_secret("parallelism.default")
    (True, False)
    """
    lowered = key.lower()
    return any(word in lowered for word in _SECRET_WORDS)


def masked(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings with stars in place of secrets.

    >>> masked({"sasl.password": "x", "rest.port": "8081"})
    {'sasl.password': '******', 'rest.port': '8081'}
    """
    return {key: HIDDEN if is_secret(key) else value for key, value in settings.items()}
