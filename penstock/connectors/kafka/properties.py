"""Kafka's client properties as users of Flink write them, for the client that penstock uses (librdkafka).

Most names are the same. Where Java's client has another name, it is translated; what has no meaning outside a JVM is refused
with what to write instead. Sources: Kafka's documentation, "Configuration"; librdkafka's "CONFIGURATION.md".
"""

import re
from typing import Any, Final

from penstock.errors import OptionError, ProgramError

DISCOVERY_INTERVAL: Final = "partition.discovery.interval.ms"
COMMIT_ON_CHECKPOINT: Final = "commit.offsets.on.checkpoint"

# librdkafka waits up to ten seconds between two tries to connect, which is how long a broker that is back would be missed.
CONNECTING: Final = {"reconnect.backoff.max.ms": "1000"}

# As Java's client, so that a key is in the same partition whoever writes it; librdkafka alone would take CRC32.
PRODUCING: Final = CONNECTING | {"partitioner": "murmur2_random"}

# What Flink's connector itself reads, or sets whatever the user says.
_OF_THE_CONNECTOR: Final = {
    DISCOVERY_INTERVAL,
    COMMIT_ON_CHECKPOINT,
    "register.consumer.metrics",
    "register.producer.metrics",
    "client.id.prefix",
    "key.deserializer",
    "value.deserializer",
    "key.serializer",
    "value.serializer",
    "auto.offset.reset",
    "flink.partition-discovery.interval-millis",
}
_TRANSLATED: Final = {
    "request.timeout.ms": "socket.timeout.ms",
    "fetch.max.wait.ms": "fetch.wait.max.ms",
    "max.request.size": "message.max.bytes",
    "compression.gzip.level": "compression.level",
    "compression.lz4.level": "compression.level",
    "compression.zstd.level": "compression.level",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
}
# What tunes or watches Java's client.
_PASSED_OVER: Final = {
    "auto.include.jmx.reporter",
    "default.api.timeout.ms",
    "exclude.internal.topics",
    "max.block.ms",
    "max.poll.records",
    "metadata.max.idle.ms",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "socket.connection.setup.timeout.max.ms",
}
_TRUST_STORE: Final = "write ssl.ca.location with a PEM file"
_KEY_STORE: Final = "write ssl.certificate.location and ssl.key.location with PEM files"
_REFUSED: Final = {
    "ssl.truststore.location": _TRUST_STORE,
    "ssl.truststore.password": _TRUST_STORE,
    "ssl.truststore.type": _TRUST_STORE,
    "ssl.keystore.type": _KEY_STORE,
    "interceptor.classes": "there are no Java classes here",
    "partitioner.class": "give the partition with the builder of KafkaRecordSerializationSchema",
    "partition.assignment.strategy": "the source assigns partitions itself",
    "sasl.login.callback.handler.class": "there are no Java classes here",
}
# Kinds of stores that are read here, too.
_READ_STORES: Final = {
    ("ssl.truststore.type", "PEM"),
    ("ssl.keystore.type", "PKCS12"),
    ("ssl.keystore.type", "PEM"),
}
_JAAS: Final = re.compile(r"(Plain|Scram)LoginModule\s+required\b(.*);?\s*$", re.DOTALL)
_JAAS_OPTION: Final = re.compile(r"(username|password)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s;]+)")


def check_property(key: Any, value: Any) -> tuple[str, str]:
    """A property as the user gave it, as texts.

    >>> check_property("fetch.min.bytes", 5)
    ('fetch.min.bytes', '5')
    """
    if not isinstance(key, str) or not key:
        raise ProgramError(f"the name of a Kafka property is a text, not {key!r}")
    if isinstance(value, bool):
        return key, "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise ProgramError(
            f"the Kafka property {key!r} has a text or a number as its value, not a {type(value).__name__}"
        )  # the value may be a secret
    return key, str(value)


def client_configuration(properties: dict[str, str]) -> dict[str, str]:
    """What the client is given.

    >>> client_configuration({"bootstrap.servers": "h:1", "request.timeout.ms": "5", "key.deserializer": "x"})
    {'bootstrap.servers': 'h:1', 'socket.timeout.ms': '5'}

    :raises OptionError: for a property that only Java's client can follow.
    """
    translated: dict[str, str] = {}
    trust_is_pem = properties.get("ssl.truststore.type") == "PEM"
    keys_are_pem = properties.get("ssl.keystore.type") == "PEM"
    for key, value in properties.items():
        if key in _OF_THE_CONNECTOR or key in _PASSED_OVER or (key, value) in _READ_STORES:
            continue
        if key == "ssl.truststore.location" and trust_is_pem:
            translated["ssl.ca.location"] = value
        elif key == "ssl.keystore.location" and keys_are_pem:  # has the key and its certificate
            translated |= {"ssl.certificate.location": value, "ssl.key.location": value}
        elif key in _REFUSED:
            raise OptionError(f"the Kafka property {key!r} is for clients in Java; {_REFUSED[key]}")
        elif key == "sasl.jaas.config":
            translated.update(_login(value))
        elif key == "buffer.memory":
            size_bytes = _whole_number(key, value, "bytes")
            translated["queue.buffering.max.kbytes"] = str(max(1, size_bytes // 1024))
        else:
            translated[_TRANSLATED.get(key, key)] = value
    return translated


def _login(text: str) -> dict[str, str]:
    """User and password out of a login module's line; the line itself is never shown, as it holds the password."""
    found = _JAAS.search(text)
    options = (
        {name: value.strip("\"'") for name, value in _JAAS_OPTION.findall(found.group(2))} if found else {}
    )
    if set(options) != {"username", "password"}:
        raise OptionError(
            "sasl.jaas.config is understood for PlainLoginModule and ScramLoginModule with username and password; for "
            "others write librdkafka's properties, such as sasl.username, sasl.password, sasl.oauthbearer.config"
        )
    return {"sasl.username": options["username"], "sasl.password": options["password"]}


def milliseconds(properties: dict[str, str], key: str, default: int) -> int:
    """A whole number of milliseconds.

    >>> milliseconds({}, "partition.discovery.interval.ms", 300_000)
    300000
    """
    text = properties.get(key)
    return default if text is None else _whole_number(key, text, "milliseconds")


def _whole_number(key: str, text: str, unit: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise OptionError(f"the Kafka property {key!r} is a number of {unit}, not {text!r}") from None


def truth(properties: dict[str, str], key: str, default: bool) -> bool:
    """True or false.

    >>> truth({"commit.offsets.on.checkpoint": "false"}, "commit.offsets.on.checkpoint", True)
    False
    """
    text = properties.get(key, "true" if default else "false").strip().lower()
    if text not in ("true", "false"):
        raise OptionError(f"the Kafka property {key!r} is true or false, not {text!r}")
    return text == "true"
