"""Addresses of machines: which of them only this machine reaches."""

import ipaddress

LOOPBACK = "127.0.0.1"


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
