"""What a cluster's options say of TLS, under Flink's keys; stores are PEM files here, as Python reads no Java ones.

Source: Flink's documentation, "SSL Setup".
"""

from collections.abc import Mapping

from penstock.errors import OptionError
from penstock.network.tls import TlsFiles, check_files

_TRUE = "true"


def internal_tls(options: Mapping[str, str]) -> TlsFiles | None:
    """With what JobManager, TaskManagers and workers show each other who they are; None where TLS is not enabled.

    :raises OptionError: where a file is not named, or cannot be used.
    """
    return _files("internal", options)


def rest_tls(options: Mapping[str, str]) -> TlsFiles | None:
    """The same for the REST API and its clients; clients show a certificate only with
    ``security.ssl.rest.authentication-enabled``."""
    return _files("rest", options)


def asks_clients(options: Mapping[str, str]) -> bool:
    """Whether the REST API wants certificates of its clients."""
    return options.get("security.ssl.rest.authentication-enabled", "false").lower() == _TRUE


def _files(part: str, options: Mapping[str, str]) -> TlsFiles | None:
    if options.get(f"security.ssl.{part}.enabled", "false").lower() != _TRUE:
        return None
    made = TlsFiles(
        _named(part, "keystore", options),
        _named(part, "truststore", options),
        options.get(f"security.ssl.{part}.key-password") or options.get("security.ssl.key-password"),
    )
    check_files(made)
    return made


def _named(part: str, store: str, options: Mapping[str, str]) -> str:
    name = options.get(f"security.ssl.{part}.{store}") or options.get(f"security.ssl.{store}")
    if not name:
        raise OptionError(
            f"security.ssl.{part}.enabled is true, and no {store} is named: set security.ssl.{part}.{store} to a PEM file"
        )
    return name
