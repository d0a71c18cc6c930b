"""Avro messages with the number of their schema, against a registry on this machine."""

import io
import json
import pickle
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import fastavro
import pytest

from penstock.common import Row
from penstock.datastream.formats.avro import (
    AvroSchema,
    ConfluentRegistryAvroDeserializationSchema,
    ConfluentRegistryAvroSerializationSchema,
    GenericRecordAvroTypeInfo,
)
from penstock.errors import OutsideError, ProgramError, TypeMismatch
from tests.services.certificates import make_certificate
from tests.services.kafka_broker import free_ports
from tests.services.schema_registry import Registry, running_registry

OLD = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}
NEW = {**OLD, "fields": [*OLD["fields"], {"name": "item", "type": "string", "default": "cup"}]}
READ = ConfluentRegistryAvroDeserializationSchema.for_generic
WRITE = ConfluentRegistryAvroSerializationSchema.for_generic


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry() as running:
        yield running


def schema(described: dict[str, object]) -> AvroSchema:
    return AvroSchema.parse_string(json.dumps(described))


def message(number: int, described: dict[str, object], record: dict[str, object]) -> bytes:
    target = io.BytesIO()
    fastavro.schemaless_writer(target, fastavro.parse_schema(described), record)
    return bytes([0]) + number.to_bytes(4, "big") + target.getvalue()


def test_a_message_is_a_zero_byte_the_number_of_the_schema_and_the_record(registry: Registry) -> None:
    registry.register("other", '"string"')
    written = WRITE("orders-value", schema(NEW), registry.url).serialize({"id": 7, "item": "pot"})
    assert written == b"\0\0\0\0\x02" + b"\x0e\x06pot"
    assert written == message(2, NEW, {"id": 7, "item": "pot"})
    assert registry.subjects["orders-value"] == [2]
    assert json.loads(registry.schemas[1]) == NEW


def test_rows_and_dicts_are_written_and_dicts_are_read(registry: Registry) -> None:
    write, read = WRITE("a/b", schema(NEW), registry.url), READ(schema(NEW), registry.url)
    messages = write.serialize_batch([Row(id=1, item="x"), {"id": 2}])
    assert read.deserialize_batch([each for each in messages if each]) == [
        {"id": 1, "item": "x"},
        {"id": 2, "item": "cup"},
    ]
    assert read.get_produced_type() == GenericRecordAvroTypeInfo(schema(NEW))


def test_a_record_of_an_older_schema_becomes_one_of_the_schema_that_is_asked_for(registry: Registry) -> None:
    number = registry.register("orders-value", json.dumps(OLD))
    read = READ(schema(NEW), registry.url)
    assert read.deserialize(message(number, OLD, {"id": 3})) == {"id": 3, "item": "cup"}


def test_the_registry_is_asked_once_for_each_schema(registry: Registry) -> None:
    write, read = WRITE("s", schema(OLD), registry.url), READ(schema(OLD), registry.url)
    read.deserialize_batch([write.serialize({"id": n}) for n in range(10)])
    assert registry.asked == ["POST /subjects/s/versions", "GET /schemas/ids/1"]


def test_schemas_travel_to_other_processes(registry: Registry) -> None:
    write, read = WRITE("s", schema(OLD), registry.url), READ(schema(OLD), registry.url)
    sent = pickle.loads(pickle.dumps(write)).serialize({"id": 5})
    assert pickle.loads(pickle.dumps(read)).deserialize(sent) == {"id": 5}


@pytest.mark.parametrize("broken", [b"", b"\0\0\0", b"\x01\0\0\0\x01\x0e", b"\0\0\0\0\x01", b"{}"])
def test_a_message_that_is_no_such_record_is_refused_and_shown(registry: Registry, broken: bytes) -> None:
    registry.register("s", json.dumps(OLD))
    with pytest.raises(OutsideError, match="cannot be read"):
        READ(schema(OLD), registry.url).deserialize(broken)


def test_a_number_that_the_registry_does_not_know_is_named(registry: Registry) -> None:
    with pytest.raises(OutsideError, match=r"refused GET /schemas/ids/9 with 404: .*Schema not found"):
        READ(schema(OLD), registry.url).deserialize(message(9, OLD, {"id": 1}))


def test_a_record_that_does_not_fit_is_refused(registry: Registry) -> None:
    with pytest.raises(TypeMismatch, match="does not fit the Avro schema"):
        WRITE("s", schema(OLD), registry.url).serialize({"id": "seven"})


def test_a_registry_that_does_not_answer_is_named() -> None:
    (port,) = free_ports(1)
    with pytest.raises(OutsideError, match=rf"registry http://127\.0\.0\.1:{port} did not answer POST /subj"):
        WRITE("s", schema(OLD), f"http://127.0.0.1:{port}/").serialize({"id": 1})


def test_a_login_is_sent() -> None:
    with running_registry("Basic dTpw") as registry:
        with pytest.raises(OutsideError, match="401"):
            WRITE("s", schema(OLD), registry.url).serialize({"id": 1})
        configs = {"basic.auth.user.info": "u:p"}
        assert WRITE("s", schema(OLD), registry.url, registry_configs=configs).serialize({"id": 1})
    with running_registry("Bearer t") as registry:
        configs = {"bearer.auth.token": "t"}
        assert WRITE("s", schema(OLD), registry.url, registry_configs=configs).serialize({"id": 1})


def test_user_and_password_may_be_in_the_url_and_are_in_no_error() -> None:
    with running_registry("Basic " + b64encode(b"u@x:p/w").decode()) as registry:
        host = registry.url.removeprefix("http://")
        assert WRITE("s", schema(OLD), f"http://u%40x:p%2Fw@{host}").serialize({"id": 1})
        with pytest.raises(OutsideError, match=f"the schema registry http://{host} refused .* 401") as caught:
            WRITE("s", schema(OLD), f"http://u%40x:geheim@{host}/").serialize({"id": 1})
        assert "geheim" not in str(caught.value)
    with pytest.raises(OutsideError, match=f"the schema registry http://{host} did not answer") as caught:
        WRITE("s", schema(OLD), f"http://u:geheim@{host}").serialize({"id": 1})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://u:geheim/x@host", "http://u:geheim@", "u:geheim@host", "ftp://u:geheim@h"]
)
def test_a_url_that_cannot_be_understood_is_not_shown(url: str) -> None:
    with pytest.raises(ProgramError, match="the url of") as caught:
        READ(schema(OLD), url)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None


@pytest.mark.parametrize(("status", "is_passing"), [("away", True), ("no login", True), ("no schema", False)])
def test_what_a_registry_says_may_pass_or_not(status: str, is_passing: bool) -> None:
    with running_registry("Bearer t") as registry:
        configs = {"bearer.auth.token": "t" if status != "no login" else "other"}
        reader = READ(schema(OLD), registry.url, registry_configs=configs)
        if status != "away":
            with pytest.raises(OutsideError) as caught:
                reader.deserialize(message(9, OLD, {"id": 1}))
    if status == "away":
        with pytest.raises(OutsideError) as caught:
            reader.deserialize(message(9, OLD, {"id": 1}))
    assert caught.value.retryable == is_passing


def test_a_schema_may_refer_to_others(registry: Registry) -> None:
    place = {
        "type": "record",
        "name": "Place",
        "namespace": "x",
        "fields": [{"name": "city", "type": "string"}],
    }
    person = {
        "type": "record",
        "name": "Person",
        "namespace": "x",
        "fields": [{"name": "home", "type": "x.Place"}],
    }
    registry.register("place", json.dumps(place))
    number = registry.register("person", json.dumps(person))
    registry.references[json.dumps(person)] = [{"name": "x.Place", "subject": "place", "version": 1}]
    whole = {**person, "fields": [{"name": "home", "type": place}]}
    record = {"home": {"city": "Ulm"}}
    assert READ(schema(whole), registry.url).deserialize(message(number, whole, record)) == record


def test_a_registry_is_recognized_by_its_certificate(tmp_path: Path) -> None:
    certificate, other = make_certificate(tmp_path, "registry"), make_certificate(tmp_path, "other")
    with running_registry(keystore=certificate.keystore) as registry:
        configs = {"ssl.ca.location": certificate.truststore}
        assert WRITE("s", schema(OLD), registry.url, registry_configs=configs).serialize({"id": 1})
        configs = {"ssl.ca.location": other.truststore}
        with pytest.raises(OutsideError, match=r"did not answer .* certificate verify failed"):
            WRITE("s", schema(OLD), registry.url, registry_configs=configs).serialize({"id": 1})
        configs = {"ssl.ca.location": str(tmp_path / "none.pem")}
        with pytest.raises(
            OutsideError, match=r"ssl\.ca\.location '.*none\.pem' .* takes PEM files"
        ) as refused:
            WRITE("s", schema(OLD), registry.url, registry_configs=configs).serialize({"id": 1})
        assert not refused.value.retryable
        for wrong in ({"ssl.key.location": other.keystore}, {"ssl.certificate.location": "none.pem"}):
            configs = {
                "ssl.ca.location": certificate.truststore,
                "ssl.certificate.location": certificate.truststore,
                **wrong,
            }
            with pytest.raises(
                OutsideError, match=r"ssl\.certificate\.location '.*' .*cannot be used"
            ) as refused:
                WRITE("s", schema(OLD), registry.url, registry_configs=configs).serialize({"id": 1})
            assert not refused.value.retryable


def test_mistakes_are_refused_where_they_are_made() -> None:
    with pytest.raises(ProgramError, match="takes an AvroSchema"):
        READ(json.dumps(OLD), "http://localhost:1")  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="http://"):
        READ(schema(OLD), "localhost:1")
    with pytest.raises(ProgramError, match=r"'ssl\.truststore\.location' is not known"):
        READ(schema(OLD), "http://h:1", registry_configs={"ssl.truststore.location": "x"})
    for key in ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password"):
        with pytest.raises(ProgramError, match=f"'{key}' is for https://, and the url is http://h:1"):
            READ(schema(OLD), "http://u:p@h:1", registry_configs={key: "x"})
    for key in ("ssl.key.location", "ssl.key.password"):
        with pytest.raises(ProgramError, match=f"'{key}' needs 'ssl.certificate.location'"):
            READ(schema(OLD), "https://h:1", registry_configs={key: "x"})
    with pytest.raises(ProgramError, match="subject"):
        WRITE("", schema(OLD), "http://h:1")
    with pytest.raises(ProgramError, match="capacity"):
        READ(schema(OLD), "http://h:1", 0)
