"""Services that end with the process that started them, however that ends.

Between the two stands this file, run as a program: it holds the one end of a pipe, and whoever started it the other, which
closes with its process. Then it kills the service with all that this has started, as they are a process group.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any


class Attached:
    """A running service. ``options`` are those of :class:`subprocess.Popen`; the object is to be kept for as long as the
    service is to run, and :meth:`kill` to be called at the end."""

    def __init__(self, command: list[str], **options: Any) -> None:
        theirs, self._ours = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(theirs), *command],
                pass_fds=[theirs],
                start_new_session=True,
                **options,
            )
        finally:
            os.close(theirs)

    @property
    def pid(self) -> int:
        """That of the group, too."""
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """The exit code, once it has ended."""
        return self._process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to all processes of the service, if there are any left."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """End it as a crash does."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._ours)


def main() -> int:
    """Run the command, and end it with the pipe."""
    pipe, *command = sys.argv[1:]

    def watch() -> None:
        os.read(int(pipe), 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    return subprocess.Popen(command).wait()


if __name__ == "__main__":
    sys.exit(main())
