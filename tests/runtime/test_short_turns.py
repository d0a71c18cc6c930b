"""Who is in there: the switch interval is that of the process."""

import sys

from penstock.runtime.short_turns import TURN_S, short_turns
from tests.alone import in_a_process_of_its_own


@in_a_process_of_its_own
def test_turns_are_short_until_the_last_one_is_out() -> None:
    usual = sys.getswitchinterval()
    with short_turns():
        short = sys.getswitchinterval()
        assert short < usual
        with short_turns():
            assert sys.getswitchinterval() == short
        assert sys.getswitchinterval() == short
    assert sys.getswitchinterval() == usual


@in_a_process_of_its_own
def test_shorter_ones_are_left_alone() -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S / 10)
    shorter = sys.getswitchinterval()  # in whole microseconds
    try:
        with short_turns():
            assert sys.getswitchinterval() == shorter
    finally:
        sys.setswitchinterval(usual)
