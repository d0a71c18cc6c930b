"""Every test of keyed state runs over each backend; ``tiny`` is rocksdb with room for hardly an object."""

from collections.abc import Iterator

import pytest

from tests.state.state_backends import KINDS, close_all, take_turn

ABOUT_KEYED_STATE = (
    "test_checked_handles",
    "test_hashmap",
    "test_hashmap_model",
    "test_migration",
    "test_moments",
    "test_ttl",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in ABOUT_KEYED_STATE:
        kinds = getattr(metafunc.function, "kinds", KINDS)
        metafunc.parametrize("backend_kind", kinds, indirect=True)


@pytest.fixture(autouse=True)
def backend_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    kind = getattr(request, "param", "hashmap")
    take_turn(kind)
    yield kind
    close_all()
    take_turn("hashmap")
