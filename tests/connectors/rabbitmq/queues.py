"""Queues of a test's own, written and read with the plain client."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event
from typing import Any

import pika

from penstock.datastream.connectors.rabbitmq import RMQConnectionConfig
from tests.services.rabbitmq_server import RabbitServer

PATIENCE_S = 120.0

_numbers = count()


def new_queue() -> str:
    return f"queue-{next(_numbers)}"


def config_of(server: RabbitServer, prefetch_count: int = 0) -> RMQConnectionConfig:
    builder = RMQConnectionConfig.Builder().set_host("127.0.0.1").set_port(server.port)
    builder.set_virtual_host("/").set_user_name("guest").set_password("guest")
    return builder.set_prefetch_count(prefetch_count).build()


@contextmanager
def channel_of(server: RabbitServer, queue: str) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(server.uri))
    channel = connection.channel()
    channel.queue_declare(queue, durable=True)
    yield channel
    connection.close()


def write(server: RabbitServer, queue: str, values: Iterable[str], ids: bool = True) -> None:
    """Texts, each with itself as its correlation id; on disk before this returns."""
    with channel_of(server, queue) as channel:
        channel.confirm_delivery()
        for value in values:
            properties = pika.BasicProperties(correlation_id=value if ids else None, delivery_mode=2)
            channel.basic_publish("", queue, value.encode(), properties)


def waiting(server: RabbitServer, queue: str) -> int:
    """How many messages nobody is reading."""
    with channel_of(server, queue) as channel:
        return int(channel.queue_declare(queue, passive=True).method.message_count)


def read(server: RabbitServer, queue: str, number: int) -> list[tuple[str, str | None]]:
    """So many messages, which are then gone, with their correlation ids."""
    found: list[tuple[str, str | None]] = []
    with channel_of(server, queue) as channel:
        for _ in range(int(PATIENCE_S / 0.05)):
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            if method is not None:
                found.append((body.decode(), properties.correlation_id))
            elif len(found) >= number:
                break
            else:
                Event().wait(0.05)
    return found
