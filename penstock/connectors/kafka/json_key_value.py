"""Messages whose key and value are JSON, as one dict."""

from typing import Any

from penstock.connectors.kafka.records import (
    ConsumerRecord,
    KafkaRecordDeserializationSchema,
    RecordCollector,
)
from penstock.formats.json_parsing import JsonParser

_PARSER = JsonParser(exact=False)


class JSONKeyValueDeserializationSchema(KafkaRecordDeserializationSchema):
    """A dict with ``key``, ``value`` and, on request, ``metadata`` (``offset``, ``topic`` and ``partition``).

    A message without a key has no ``key``, one without a value no ``value``.

    >>> schema = JSONKeyValueDeserializationSchema(include_metadata=True)
    >>> found = []
    >>> class Out:
    ...     collect = found.append
    >>> schema.deserialize(ConsumerRecord("t", 0, 7, None, b'"k"', b'{"n": 1}'), Out())
    >>> found
    [{'key': 'k', 'value': {'n': 1}, 'metadata': {'offset': 7, 'topic': 't', 'partition': 0}}]
    """

    def __init__(self, include_metadata: bool = False) -> None:
        self._include_metadata = include_metadata

    def deserialize(self, record: ConsumerRecord, out: RecordCollector) -> None:
        made: dict[str, Any] = {}
        if record.key is not None:
            made["key"] = _PARSER.value(record.key)
        if record.value is not None:
            made["value"] = _PARSER.value(record.value)
        if self._include_metadata:
            made["metadata"] = {"offset": record.offset, "topic": record.topic, "partition": record.partition}
        out.collect(made)
