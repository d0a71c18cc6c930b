"""The actor in which a JobManager or a TaskManager lives."""

import os
import threading
from collections.abc import Callable

Serve = Callable[[], None]
Begin = Callable[[str], Serve]
"""Given the address of the node: gets ready, and gives what then serves until the end."""

ENDED = 1


class RoleActor:
    """Lives as long as what it serves: when that ends, so does the process, and Ray makes another.

    Ray calls it from its own thread; what is served has one of its own.
    """

    def __init__(self, begin: Begin) -> None:
        import ray

        self._host: str = ray.util.get_node_ip_address()
        serve = begin(self._host)
        threading.Thread(target=_serve, args=(serve,), daemon=True, name="role").start()

    def whereabouts(self) -> tuple[str, int]:
        """The address of its node, and its process."""
        return self._host, os.getpid()


def _serve(serve: Serve) -> None:
    try:
        serve()
    finally:
        os._exit(ENDED)
