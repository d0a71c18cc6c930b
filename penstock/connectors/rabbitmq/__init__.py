"""RabbitMQ: a source that reads a queue, and a sink."""
