"""How RabbitMQ is reached. Source: Flink's documentation, "RabbitMQ Connector"."""

import logging
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from penstock.errors import OutsideError, ProgramError
from penstock.formats.extras import require

PERSISTENT: Final = 2
"""A message survives the server, as its queue does."""
KEEP_ALIVE_S: Final = 60
"""After so long without a word it is asked whether the other side is still there, if nothing else is set."""


@dataclass(frozen=True, slots=True)
class RMQConnectionConfig:
    """Where the server is and who logs in; made by :class:`RMQConnectionConfig.Builder`.

    >>> builder = RMQConnectionConfig.Builder().set_host("localhost").set_port(5672)
    >>> config = builder.set_virtual_host("/").set_user_name("guest").set_password("guest").build()
    >>> config.get_host(), config.get_port()
    ('localhost', 5672)
    """

    host: str | None = None
    port: int | None = None
    virtual_host: str | None = None
    user_name: str | None = None
    password: str | None = field(default=None, repr=False)
    uri: str | None = field(default=None, repr=False)
    network_recovery_interval: int | None = None
    automatic_recovery: bool | None = None
    topology_recovery: bool | None = None
    connection_timeout: int | None = None
    requested_channel_max: int | None = None
    requested_frame_max: int | None = None
    requested_heartbeat: int | None = None
    prefetch_count: int | None = None

    def get_host(self) -> str | None:
        """The host."""
        return self.host

    def get_port(self) -> int | None:
        """The port."""
        return self.port

    def get_virtual_host(self) -> str | None:
        """The virtual host."""
        return self.virtual_host

    def get_user_name(self) -> str | None:
        """Who logs in."""
        return self.user_name

    def get_password(self) -> str | None:
        """The password."""
        return self.password

    def get_uri(self) -> str | None:
        """Everything in one, if it was given so."""
        return self.uri

    def get_network_recovery_interval(self) -> int | None:
        """Milliseconds, as set; without effect."""
        return self.network_recovery_interval

    def is_automatic_recovery(self) -> bool | None:
        """As set; without effect."""
        return self.automatic_recovery

    def is_topology_recovery(self) -> bool | None:
        """As set; without effect."""
        return self.topology_recovery

    def get_connection_timeout(self) -> int | None:
        """Milliseconds."""
        return self.connection_timeout

    def get_requested_channel_max(self) -> int | None:
        """How many channels a connection may have."""
        return self.requested_channel_max

    def get_requested_frame_max(self) -> int | None:
        """Bytes of a frame."""
        return self.requested_frame_max

    def get_requested_heartbeat(self) -> int | None:
        """Seconds."""
        return self.requested_heartbeat

    @property
    def place(self) -> str:
        """Host and port, for messages: nothing secret."""
        if self.uri is None:
            return f"{self.host}:{self.port}"
        parts = urlsplit(self.uri)
        return f"{parts.hostname}:{parts.port or 5672}"

    class Builder:
        """Collects what a connection needs: ``set_uri``, or host, port, virtual host, user name and password."""

        def __init__(self) -> None:
            self._config = RMQConnectionConfig()

        def _with(self, name: str, value: Any, kind: type[Any]) -> "RMQConnectionConfig.Builder":
            if type(value) is not kind or value == "" or (isinstance(value, int) and value < 0):
                raise ProgramError(f"{name} of RabbitMQ is a {kind.__name__}, not {value!r}")
            named: dict[str, Any] = {name: value}
            self._config = replace(self._config, **named)
            return self

        def set_host(self, host: str) -> "RMQConnectionConfig.Builder":
            """The host."""
            return self._with("host", host, str)

        def set_port(self, port: int) -> "RMQConnectionConfig.Builder":
            """The port, mostly 5672."""
            return self._with("port", port, int)

        def set_virtual_host(self, vhost: str) -> "RMQConnectionConfig.Builder":
            """The virtual host, mostly ``/``."""
            return self._with("virtual_host", vhost, str)

        def set_user_name(self, user_name: str) -> "RMQConnectionConfig.Builder":
            """Who logs in."""
            return self._with("user_name", user_name, str)

        def set_password(self, password: str) -> "RMQConnectionConfig.Builder":
            """The password."""
            if not isinstance(password, str):
                raise ProgramError("the password of RabbitMQ is a str")
            self._config = replace(self._config, password=password)
            return self

        def set_uri(self, uri: str) -> "RMQConnectionConfig.Builder":
            """Everything in one: ``amqp://user:password@host:port/virtual-host``, or ``amqps://`` for TLS."""
            if not isinstance(uri, str) or not uri.startswith(("amqp://", "amqps://")):
                raise ProgramError("the URI of RabbitMQ begins with amqp:// or amqps://")
            if not _has_port(uri):
                raise ProgramError(
                    "the port in the URI of RabbitMQ is no number; write special characters of user and password as %XX"
                )
            self._config = replace(self._config, uri=uri)
            return self

        def set_topology_recovery_enabled(
            self, topology_recovery_enabled: bool
        ) -> "RMQConnectionConfig.Builder":
            """Has no effect: a job whose connection broke starts again by its restart strategy, and declares its queue."""
            return self._with("topology_recovery", topology_recovery_enabled, bool)

        def set_requested_heartbeat(self, requested_heartbeat: int) -> "RMQConnectionConfig.Builder":
            """Seconds after which a silent connection is checked. TCP's keep-alive does it, as a task that is busy could not
            answer heartbeats."""
            return self._with("requested_heartbeat", requested_heartbeat, int)

        def set_requested_frame_max(self, requested_frame_max: int) -> "RMQConnectionConfig.Builder":
            """Bytes of a frame."""
            return self._with("requested_frame_max", requested_frame_max, int)

        def set_requested_channel_max(self, requested_channel_max: int) -> "RMQConnectionConfig.Builder":
            """How many channels a connection may have; one is used."""
            return self._with("requested_channel_max", requested_channel_max, int)

        def set_network_recovery_interval(
            self, network_recovery_interval: int
        ) -> "RMQConnectionConfig.Builder":
            """Has no effect: how long to wait is said by the job's restart strategy."""
            return self._with("network_recovery_interval", network_recovery_interval, int)

        def set_connection_timeout(self, connection_timeout: int) -> "RMQConnectionConfig.Builder":
            """Milliseconds to wait for the server when a connection is made."""
            return self._with("connection_timeout", connection_timeout, int)

        def set_automatic_recovery(self, automatic_recovery: bool) -> "RMQConnectionConfig.Builder":
            """Has no effect: a connection that broke fails the task, and the job's restart strategy has it made again."""
            return self._with("automatic_recovery", automatic_recovery, bool)

        def set_prefetch_count(self, prefetch_count: int) -> "RMQConnectionConfig.Builder":
            """How many messages the server sends ahead of their acknowledgement, which comes with a checkpoint; no limit if
            nothing is set."""
            return self._with("prefetch_count", prefetch_count, int)

        def build(self) -> "RMQConnectionConfig":
            """The configuration.

            :raises ProgramError: when something is missing.
            """
            config = self._config
            needed = ("host", "port", "virtual_host", "user_name", "password")
            missing = [f"set_{name}" for name in needed if getattr(config, name) is None]
            if config.uri is None and missing:
                raise ProgramError(f"a connection to RabbitMQ needs set_uri, or else {', '.join(missing)}")
            return config


def _has_port(uri: str) -> bool:
    """Whether the port can be read, be it by default; looked at here, as later errors would show parts of the password."""
    try:
        return urlsplit(uri).port != 0
    except ValueError:
        return False


def check_queue(connection: Any, queue: Any) -> None:
    """Refuse what cannot name a queue."""
    if not isinstance(connection, RMQConnectionConfig):
        raise ProgramError(
            f"RabbitMQ is reached by an RMQConnectionConfig, not by a {type(connection).__name__}; "
            "RMQConnectionConfig.Builder() makes one"
        )
    if not isinstance(queue, str) or not 0 < len(queue.encode()) <= 255:
        raise ProgramError(f"the name of a queue is a text of 1 to 255 bytes, not {queue!r:.60}")


def pika() -> Any:
    """The client library."""
    client = require("pika", "rabbitmq", "RabbitMQ")
    logger = logging.getLogger("pika")
    if not logger.handlers:
        # What it says of each try to connect is in our error, too; it goes where the user's logging sends it, not to stderr.
        logger.addHandler(logging.NullHandler())
    return client


def connect(config: RMQConnectionConfig) -> Any:
    """A connection; of one thread.

    :raises OutsideError: where there is none to be had.
    """
    client = pika()
    try:
        return client.BlockingConnection(_parameters(config))
    except (client.exceptions.AMQPError, OSError) as error:
        reason = error.args[0] if error.args and str(error.args[0]) else error
        failure = OutsideError(
            f"RabbitMQ at {config.place} cannot be reached: {type(error).__name__}: {reason!s:.300}; check host, port, "
            "virtual host, user name and password, and that the server runs"
        )
        raise failure from error


def _parameters(config: RMQConnectionConfig) -> Any:
    client = pika()
    if config.uri is not None:
        parameters = client.URLParameters(config.uri)
    else:
        parameters = client.ConnectionParameters(
            config.host,
            config.port,
            config.virtual_host,
            client.PlainCredentials(config.user_name, config.password),
        )
    parameters.heartbeat = 0
    parameters.tcp_options = {
        "TCP_KEEPIDLE": config.requested_heartbeat or KEEP_ALIVE_S,
        "TCP_KEEPINTVL": 10,
        "TCP_KEEPCNT": 3,
    }
    if config.connection_timeout:
        parameters.socket_timeout = parameters.stack_timeout = config.connection_timeout / 1_000
    if config.requested_frame_max:
        parameters.frame_max = config.requested_frame_max
    if config.requested_channel_max:
        parameters.channel_max = config.requested_channel_max
    return parameters
