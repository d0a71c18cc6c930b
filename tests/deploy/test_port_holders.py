"""Who has a port."""

import os
import socket

from penstock.deploy.local.port_holders import holder_of


def test_the_process_that_listens_on_a_port_is_named() -> None:
    for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
        with socket.create_server((host, 0), family=family) as server:
            port = server.getsockname()[1]
            found = holder_of(port)
            assert found is not None and found.startswith(f"process {os.getpid()} (")
        assert holder_of(port) is None
