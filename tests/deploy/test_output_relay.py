"""The relay of what workers print keeps nothing of workers that are gone."""

import os

from penstock.deploy.local.output_relay import OutputRelay
from tests.alone import in_a_process_of_its_own


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


@in_a_process_of_its_own
def test_pipes_of_workers_that_are_gone_are_closed_while_the_relay_goes_on() -> None:
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
