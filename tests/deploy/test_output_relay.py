"""The relay of what workers print keeps nothing of workers that are gone."""

import os
from pathlib import Path

from penstock.deploy.local.output_relay import OutputRelay
from tests.missing import leave_out_for_want_of


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_pipes_of_workers_that_are_gone_are_closed_while_the_relay_goes_on() -> None:
    if not Path("/proc/self/fd").is_dir():
        leave_out_for_want_of("/proc", "Linux has it")
    relay = OutputRelay()
    before = open_descriptors()
    for number in range(20):
        pipes = [os.pipe() for _ in range(2)]
        relay.add(number, *(os.fdopen(read, "rb") for read, _ in pipes))
        relay.start()
        for _, write in pipes:
            os.write(write, b"a last word\n")
            os.close(write)
        assert relay.last_words(number, 120) == ["a last word"]
        relay.forget(number)
    assert open_descriptors() == before
    relay.finish()
