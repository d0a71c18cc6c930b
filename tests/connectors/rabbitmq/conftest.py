"""One server for all tests of RabbitMQ, started on the first use and stopped at the end."""

from collections.abc import Iterator

import pytest

from tests.missing import leave_out_for_want_of
from tests.services.rabbitmq_server import NoServer, RabbitServer, running_rabbitmq


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    try:
        with running_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as server:
            yield server
    except NoServer as reason:
        leave_out_for_want_of("RabbitMQ", str(reason))
