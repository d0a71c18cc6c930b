"""Addresses of machines: which of them only this machine reaches."""

import ipaddress
from collections.abc import Mapping

LOOPBACK = "127.0.0.1"
_EVERYWHERE = ("0.0.0.0", "::", "")


def address_of(host: str) -> str:
    """What ``localhost`` stands for is the same everywhere; other names are left to the system.

    >>> address_of("localhost"), address_of("node7")
    ('127.0.0.1', 'node7')
    """
    return LOOPBACK if host == "localhost" else host


def is_loopback(host: str) -> bool:
    """Whether nobody from outside can reach an address.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.2", "::1", "0.0.0.0", "10.1.2.3", "node7")]
    [True, True, True, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def rest_address(options: Mapping[str, str]) -> str:
    """Where clients find the REST API of a JobManager with these options: at ``rest.address``, else where it listens. An API
    that listens everywhere is found where the JobManager is. It is the name that a certificate has to have.

    >>> rest_address({"rest.bind-address": "0.0.0.0", "jobmanager.rpc.address": "node7"})
    'node7'
    >>> rest_address({"rest.bind-address": "0.0.0.0", "rest.address": "api.example", "jobmanager.rpc.address": "node7"})
    'api.example'
    >>> rest_address({"rest.bind-address": "10.1.2.3", "jobmanager.rpc.address": "node7"})
    '10.1.2.3'
    """
    listens = options.get("rest.bind-address", "localhost")
    found = options.get("rest.address") or (None if listens in _EVERYWHERE else listens)
    return found or options.get("jobmanager.rpc.address") or "localhost"
