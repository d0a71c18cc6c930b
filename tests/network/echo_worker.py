"""A worker process for tests: applies a shipped function to all it receives and sends the result back.

Reads a pickled ``(secret, function)`` from standard input and prints its port; it is worker 1 and is called by worker 0.
"""

import pickle
import selectors
import sys

from penstock.data.elements import EndOfInput
from penstock.network.exchange import DataPlane, PeerLost


def main() -> None:
    secret, function = pickle.load(sys.stdin.buffer)
    losses: list[PeerLost] = []
    selector = selectors.DefaultSelector()
    plane = DataPlane(selector, 1, secret, losses.append)
    sys.stdout.write(f"{plane.address[1]}\n")
    sys.stdout.flush()
    plane.connect({0: ("127.0.0.1", 0)})  # worker 0 has the smaller index and calls
    source, output = plane.input(1, 0), plane.output(2, 0)
    ended = False
    while not ended and not losses:
        for key, mask in selector.select(1):
            key.data(mask)
        while output.available and (element := source.poll()) is not None:
            output.put(function(element))
            ended = isinstance(element, EndOfInput)
        plane.flush()
    plane.close()
    sys.exit(3 if losses else 0)


if __name__ == "__main__":
    main()
