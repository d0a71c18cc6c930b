"""What the threads of this process do."""

import sys
import threading
import traceback


def thread_stacks() -> tuple[tuple[str, str], ...]:
    """The name of each thread and its stack, the innermost call last.

    >>> [name for name, stack in thread_stacks() if "thread_stacks()" in stack]
    ['MainThread']
    """
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found = []
    for ident, frame in sys._current_frames().items():
        found.append((names.get(ident, str(ident)), "".join(traceback.format_stack(frame))))
    return tuple(sorted(found))
