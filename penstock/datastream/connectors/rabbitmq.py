"""RabbitMQ; the names of ``pyflink.datastream.connectors.rabbitmq``, and policies for bad messages."""

from penstock.connectors.rabbitmq.bad_messages import RMQBadMessage, RMQDeadLetterQueue
from penstock.connectors.rabbitmq.connection import RMQConnectionConfig
from penstock.connectors.rabbitmq.sink import RMQSink
from penstock.connectors.rabbitmq.source import RMQSource

__all__ = ["RMQBadMessage", "RMQConnectionConfig", "RMQDeadLetterQueue", "RMQSink", "RMQSource"]
