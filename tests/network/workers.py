"""Workers in one process: each a data plane with a selector, driven in turn by the test."""

import os
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from penstock.clock import monotonic
from penstock.network.exchange import DataPlane, NetworkOptions, PeerLost

SECRET = b"the secret of the job, 32 bytes."


class Worker:
    """A data plane and the loop around it."""

    def __init__(self, index: int, secret: bytes = SECRET, options: NetworkOptions | None = None) -> None:
        self.selector = selectors.DefaultSelector()
        self.losses: list[PeerLost] = []
        self.plane = DataPlane(self.selector, index, secret, self.losses.append, options)

    def turn(self) -> None:
        """One round of the loop."""
        for key, mask in self.selector.select(0):
            key.data(mask)
        self.plane.flush()

    def close(self) -> None:
        self.plane.close(timeout_s=0)
        self.selector.close()


def drive(workers: list[Worker], until: Callable[[], object], timeout_s: float = 120) -> None:
    """Turn all workers until the condition holds."""
    deadline = monotonic() + timeout_s
    while not until():
        assert monotonic() < deadline, "it did not come to this"
        for worker in workers:
            worker.turn()


@contextmanager
def connected(count: int, options: NetworkOptions | None = None) -> Iterator[list[Worker]]:
    """That many workers, each connected to all others."""
    workers = [Worker(index, options=options) for index in range(count)]
    try:
        addresses = {worker.plane.index: worker.plane.address for worker in workers}
        for worker in workers:
            worker.plane.connect(addresses)
        drive(workers, lambda: all(worker.plane.connected for worker in workers))
        yield workers
    finally:
        for worker in workers:
            worker.close()


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def in_background(action: Callable[[], object]) -> Callable[[], BaseException | None]:
    """Run ``action`` beside the test; the result waits for it and returns what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def wait() -> BaseException | None:
        thread.join()
        return raised[0] if raised else None

    return wait


def vanish(worker: Worker) -> None:
    """Close the sockets of a worker as the system does when its process dies."""
    for key in list(worker.selector.get_map().values()):
        with socket.socket(fileno=os.dup(key.fd)) as end:
            end.shutdown(socket.SHUT_RDWR)
