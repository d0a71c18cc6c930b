"""The client of a cluster's API, as options have it."""

from dataclasses import replace
from socket import create_server

import pytest

from penstock.deploy.remote.client import CONNECTION_S, ClusterClient
from penstock.errors import OptionError, OutsideError


def test_how_long_a_connection_may_take_is_an_option() -> None:
    assert ClusterClient.of({}).connection_s == CONNECTION_S
    assert ClusterClient.of({"rest.connection-timeout": "1500 ms"}).connection_s == 1.5
    with pytest.raises(OptionError, match=r"rest\.connection-timeout"):
        ClusterClient.of({"rest.connection-timeout": "soon"})


def test_a_connection_may_be_had_and_the_answer_not_come() -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        client = ClusterClient("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(OutsideError, match="timed out"):
            replace(client, timeout_s=0.05).get("/overview")
