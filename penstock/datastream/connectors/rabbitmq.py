"""RabbitMQ; the names of ``pyflink.datastream.connectors.rabbitmq``."""

from penstock.connectors.rabbitmq.connection import RMQConnectionConfig
from penstock.connectors.rabbitmq.sink import RMQSink
from penstock.connectors.rabbitmq.source import RMQSource

__all__ = ["RMQConnectionConfig", "RMQSink", "RMQSource"]
