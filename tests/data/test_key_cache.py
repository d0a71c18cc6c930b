"""What is remembered of keys grows while they come again, and not with keys that never do."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.data.key_cache import KeyCache


class Doubled(KeyCache):
    __slots__ = ()

    def __missing__(self, key: Any) -> Any:
        self.make_room()
        self[key] = 2 * key
        return 2 * key


def look_up(cache: KeyCache, keys: list[int]) -> None:
    assert [cache[key] for key in keys] == [2 * key for key in keys]
    cache.saw(len(keys))


def test_keys_that_never_come_again_are_forgotten() -> None:
    cache = Doubled(most=1_000, few=16)
    for start in range(0, 10_000, 8):
        look_up(cache, list(range(start, start + 8)))
        assert len(cache) <= 16


def test_keys_that_come_again_are_all_remembered() -> None:
    cache = Doubled(most=1_000, few=16)
    for turn in range(200):
        look_up(cache, [(turn * 7 + n) % 100 for n in range(8)])
    assert len(cache) == 100


def test_not_more_than_the_most_is_ever_remembered() -> None:
    cache = Doubled(most=50, few=16)
    for turn in range(2_000):
        look_up(cache, [turn * 3 % 97, turn % 7])
        assert len(cache) <= 50


@given(st.lists(st.lists(st.integers(0, 60), max_size=20)), st.integers(1, 40), st.integers(1, 40))
def test_whatever_is_forgotten_the_answers_are_right(batches: list[list[int]], most: int, few: int) -> None:
    cache = Doubled(most, few)
    for batch in batches:
        look_up(cache, batch)
        assert len(cache) <= most
