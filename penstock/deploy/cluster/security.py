"""What a cluster's options say of TLS, under Flink's keys; stores are PEM files here, as Python reads no Java ones.

Source: Flink's documentation, "SSL Setup".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.errors import OptionError
from penstock.network.tls import TlsFiles, check_files

if TYPE_CHECKING:
    import ssl

_TRUE = "true"


def internal_tls(options: Mapping[str, str]) -> TlsFiles | None:
    """With what JobManager, TaskManagers and workers show each other who they are; None where TLS is not enabled.

    :raises OptionError: where a file is not named, or cannot be used.
    """
    return _files("internal", options)


def rest_tls(options: Mapping[str, str]) -> TlsFiles | None:
    """With what the REST API shows who it is, and whom it trusts; None where it answers to plain http.

    :raises OptionError: where a file is not named, or cannot be used.
    """
    return _files("rest", options)


def asks_clients(options: Mapping[str, str]) -> bool:
    """Whether the REST API wants certificates of its clients."""
    return options.get("security.ssl.rest.authentication-enabled", "false").lower() == _TRUE


@dataclass(frozen=True, slots=True)
class RestTrust:
    """Whom a client of the REST API trusts; ``own`` is what it shows of itself, where it is asked."""

    truststore: str
    own: TlsFiles | None = None

    def context(self) -> "ssl.SSLContext":
        """What a connection is made with; the name in the server's certificate has to be its address.

        :raises OptionError: where a file cannot be used.
        """
        import ssl

        try:
            context = ssl.create_default_context(cafile=self.truststore)
            if self.own is not None:
                context.load_cert_chain(self.own.keystore, password=self.own.password or "")
        except (OSError, ssl.SSLError) as error:
            raise OptionError(
                f"the truststore {self.truststore} cannot be used: {error}; it is a PEM file here"
            ) from error
        return context


def rest_trust(options: Mapping[str, str]) -> RestTrust | None:
    """What a client's options say; None for plain http.

    :raises OptionError: where no truststore is named.
    """
    if options.get("security.ssl.rest.enabled", "false").lower() != _TRUE:
        return None
    own = rest_tls(options) if asks_clients(options) else None
    return RestTrust(_named("rest", "truststore", options), own)


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
