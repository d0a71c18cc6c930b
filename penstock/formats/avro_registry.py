"""Avro messages whose schema is in a registry: a zero byte, the schema's number in four bytes, the record.

Source: Flink's documentation, "Confluent Avro Format"; Confluent's documentation, "Wire format" and "Schema Registry API".
"""

import io
from collections.abc import Mapping
from typing import Any, Final

from penstock.contracts.serialization import DeserializationSchema, SerializationSchema
from penstock.data.row import Row
from penstock.data.type_information import TypeInformation, shortened
from penstock.errors import OutsideError, ProgramError, TypeMismatch
from penstock.formats.avro import AvroSchema, GenericRecordAvroTypeInfo
from penstock.formats.extras import require
from penstock.formats.unreadable import unreadable

CAPACITY: Final = 1_000
TIMEOUT_S: Final = 30.0
_HEADER_BYTES: Final = 5
_KIND: Final = "application/vnd.schemaregistry.v1+json"
_FOR_GOOD: Final = (404, 409, 422)
"""What a registry answers to a question about a schema that it does not have, or does not take."""
_USER_INFO: Final = "basic.auth.user.info"
_TLS: Final = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password")
_CONFIGS: Final = {_USER_INFO, "bearer.auth.token", *_TLS}
# What fastavro raises for bytes that are no Avro, beside errors of its own, which are ValueErrors.
_BROKEN = (ValueError, TypeError, EOFError, LookupError, ArithmeticError, StopIteration, AssertionError)


class SchemaRegistry:
    """Asks a registry over HTTP, each question once. Calls block.

    ``configs``: ``basic.auth.user.info`` with ``user:password``, or ``bearer.auth.token``. User and password may also be in
    the url, as in ``https://user:password@host``, and are in no error. For TLS ``ssl.ca.location``, and where the registry
    asks for it ``ssl.certificate.location`` with ``ssl.key.location``, are PEM files.
    """

    def __init__(self, url: str, capacity: int, configs: Mapping[str, str] | None) -> None:
        self._url, user_info = _without_user(url)
        if type(capacity) is not int or capacity < 1:
            raise ProgramError(f"the capacity of the cache of schemas is a number from 1, not {capacity!r}")
        unknown = sorted(set(configs or {}) - _CONFIGS)
        if unknown:
            raise ProgramError(
                f"the registry setting {', '.join(map(repr, unknown))} is not known; "
                f"known are {', '.join(sorted(_CONFIGS))}; certificates are PEM files"
            )
        self._capacity = capacity
        _check_tls(self._url, configs or {})
        self._configs = {**user_info, **(configs or {})}
        self._schemas: dict[int, AvroSchema] = {}

    def schema(self, number: int) -> AvroSchema:
        """The schema with a number.

        :raises OutsideError: where there is none, or no registry.
        """
        found = self._schemas.get(number)
        if found is None:
            answer = self._ask(f"/schemas/ids/{number}", None)
            if answer.get("schemaType", "AVRO") != "AVRO":
                failure = OutsideError(f"the schema {number} of the registry {self._url} is not one of Avro")
                failure.retryable = False
                raise failure
            if len(self._schemas) >= self._capacity:
                del self._schemas[next(iter(self._schemas))]
            found = self._schemas[number] = self._parsed(answer, {})
        return found

    def _parsed(self, answer: dict[str, Any], named: dict[str, Any]) -> AvroSchema:
        """The schema of an answer, after those that it refers to."""
        import json
        from urllib.parse import quote

        for reference in answer.get("references") or ():
            subject = quote(reference["subject"], safe="")
            self._parsed(self._ask(f"/subjects/{subject}/versions/{reference['version']}", None), named)
        return AvroSchema(json.loads(answer["schema"]), named)

    def number_of(self, subject: str, schema: AvroSchema) -> int:
        """The number of a schema under a subject, where it is registered if it is not there yet."""
        from urllib.parse import quote

        answer = self._ask(f"/subjects/{quote(subject, safe='')}/versions", {"schema": str(schema)})
        return int(answer["id"])

    def _ask(self, path: str, body: dict[str, str] | None) -> dict[str, Any]:
        import json
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, {"Accept": _KIND, "Content-Type": _KIND, **self._login()})
        tls = self._tls()
        try:
            with urlopen(request, timeout=TIMEOUT_S, context=tls) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except HTTPError as error:
            text = error.read(500).decode(errors="replace")
            failure = OutsideError(
                f"the schema registry {self._url} refused {request.get_method()} {path} with {error.code}: {text}"
            )
            failure.retryable = error.code not in _FOR_GOOD
            raise failure from error
        except (HTTPException, OSError, ValueError) as error:
            raise OutsideError(
                f"the schema registry {self._url} did not answer {request.get_method()} {path}: {error}"
            ) from error

    def _tls(self) -> Any:
        """How a registry is recognized, and recognizes us, where the settings say it.

        :raises OutsideError: for files that are no certificates or keys, for good.
        """
        if not self._configs.keys() & set(_TLS):
            return None
        import ssl

        authorities, certificate, key, password = map(self._configs.get, _TLS)
        try:
            context = ssl.create_default_context(cafile=authorities)
        except (OSError, ValueError) as error:  # ssl.SSLError among them
            raise self._unreadable(f"ssl.ca.location {authorities!r}", error) from error
        if certificate is not None:
            try:
                # Without a password OpenSSL would ask for one at the terminal.
                context.load_cert_chain(certificate, key, password or "")
            except (OSError, ValueError) as error:
                files = f"ssl.certificate.location {certificate!r}"
                files += "" if key is None else f" with ssl.key.location {key!r}"
                raise self._unreadable(files, error) from error
        return context

    def _unreadable(self, files: str, error: Exception) -> OutsideError:
        failure = OutsideError(
            f"{files} of the schema registry {self._url} cannot be used: {error}; it takes PEM files that every machine of "
            "the job has, a key that belongs to its certificate, and ssl.key.password for a key that is encrypted"
        )
        failure.retryable = False
        return failure

    def _login(self) -> dict[str, str]:
        if "bearer.auth.token" in self._configs:
            return {"Authorization": f"Bearer {self._configs['bearer.auth.token']}"}
        if _USER_INFO in self._configs:
            from base64 import b64encode

            user = b64encode(self._configs[_USER_INFO].encode()).decode()
            return {"Authorization": f"Basic {user}"}
        return {}


def _check_tls(url: str, configs: Mapping[str, str]) -> None:
    """Refuse what would change nothing.

    :raises ProgramError: naming it.
    """
    given = [key for key in _TLS if key in configs]
    if given and not url.startswith("https://"):
        raise ProgramError(
            f"the registry setting {', '.join(map(repr, given))} is for https://, and the url is {url}; write the url of the "
            "registry with https://, or leave the setting out"
        )
    keys = [key for key in given if key.startswith("ssl.key.")]
    if keys and "ssl.certificate.location" not in configs:
        raise ProgramError(
            f"the registry setting {', '.join(map(repr, keys))} needs 'ssl.certificate.location', the PEM file of the "
            "certificate that the key belongs to"
        )


def _without_user(url: Any) -> tuple[str, dict[str, str]]:
    """The url of a registry as it may be shown, and the setting that says what is left out of it."""
    from urllib.parse import unquote, urlsplit

    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise ProgramError(
            f"the url of a schema registry is a text that begins with http:// or https://, not a {type(url).__name__} "
            "that does not"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if not parts.hostname:
        raise ProgramError(
            "the url of the schema registry has no host, or no number as its port; write special characters of user and "
            "password as %XX"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path}".rstrip("/")
    if parts.username is None:
        return shown, {}
    return shown, {_USER_INFO: f"{unquote(parts.username)}:{unquote(parts.password or '')}"}


class ConfluentRegistryAvroDeserializationSchema(DeserializationSchema):
    """Messages of Avro records as dicts, read with the schema that they were written with; made by :meth:`for_generic`."""

    def __init__(
        self, schema: AvroSchema, url: str, capacity: int, configs: Mapping[str, str] | None
    ) -> None:
        self._parts = (schema, url, capacity, configs)
        self._schema = schema
        self._registry = SchemaRegistry(url, capacity, configs)
        self._read = require("fastavro", "avro", "Avro").schemaless_reader

    @staticmethod
    def for_generic(
        schema: AvroSchema,
        url: str,
        identity_map_capacity: int = CAPACITY,
        registry_configs: Mapping[str, str] | None = None,
    ) -> "ConfluentRegistryAvroDeserializationSchema":
        """Records of ``schema``, into which those of other, compatible schemas are turned by Avro's rules."""
        return ConfluentRegistryAvroDeserializationSchema(
            _checked(schema), url, identity_map_capacity, registry_configs
        )

    def deserialize(self, message: bytes) -> Any:
        if message is None:
            return None
        if len(message) < _HEADER_BYTES or message[0] != 0:
            raise unreadable(
                message, ValueError("it does not begin with a zero byte and the number of a schema")
            )
        written = self._registry.schema(int.from_bytes(message[1:_HEADER_BYTES], "big"))
        try:
            return self._read(io.BytesIO(message[_HEADER_BYTES:]), written.parsed, self._schema.parsed)
        except _BROKEN as error:
            raise unreadable(message, error if isinstance(error, Exception) else ValueError()) from error

    def get_produced_type(self) -> TypeInformation:
        return GenericRecordAvroTypeInfo(self._schema)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self._parts)


class ConfluentRegistryAvroSerializationSchema(SerializationSchema):
    """Dicts or rows as Avro messages with the number of their schema, which is registered; made by :meth:`for_generic`."""

    def __init__(
        self, subject: str, schema: AvroSchema, url: str, capacity: int, configs: Mapping[str, str] | None
    ) -> None:
        if not isinstance(subject, str) or not subject:
            raise ProgramError(f"the subject is the name of schemas in the registry, not {subject!r}")
        self._parts = (subject, schema, url, capacity, configs)
        self._subject = subject
        self._schema = schema
        self._registry = SchemaRegistry(url, capacity, configs)
        self._header = b""
        self._write = require("fastavro", "avro", "Avro").schemaless_writer

    @staticmethod
    def for_generic(
        subject: str,
        schema: AvroSchema,
        schema_registry_url: str,
        identity_map_capacity: int = CAPACITY,
        registry_configs: Mapping[str, str] | None = None,
    ) -> "ConfluentRegistryAvroSerializationSchema":
        """Records of ``schema``; by custom the subject is ``TOPIC-value``, or ``TOPIC-key`` for keys."""
        return ConfluentRegistryAvroSerializationSchema(
            subject, _checked(schema), schema_registry_url, identity_map_capacity, registry_configs
        )

    def serialize(self, element: Any) -> bytes:
        if not self._header:
            self._header = b"\0" + self._registry.number_of(self._subject, self._schema).to_bytes(4, "big")
        target = io.BytesIO()
        target.write(self._header)
        record = element.as_dict(True) if isinstance(element, Row) else element
        try:
            self._write(target, self._schema.parsed, record, strict_allow_default=True)
        except _BROKEN as error:
            raise TypeMismatch(f"{shortened(element)} does not fit the Avro schema: {error}") from error
        return target.getvalue()

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self._parts)


def _checked(schema: Any) -> AvroSchema:
    if not isinstance(schema, AvroSchema):
        raise ProgramError(
            f"for_generic takes an AvroSchema, such as AvroSchema.parse_string gives, not {schema!r}"
        )
    return schema
