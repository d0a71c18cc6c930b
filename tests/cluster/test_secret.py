"""The file with the secret of a cluster, which whoever comes first makes."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from penstock.deploy.cluster.secret import NAME, cluster_secret, keep_secret
from penstock.errors import OutsideError

AT_ONCE = 4


def test_all_who_ask_at_once_get_the_same_secret_and_nobody_an_empty_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as askers:
        for turn in range(200):
            barrier, directory = Barrier(AT_ONCE), tmp_path / str(turn) / "run"

            def ask(barrier: Barrier = barrier, directory: Path = directory) -> bytes:
                barrier.wait()
                return cluster_secret(directory)

            secrets = {asked.result() for asked in [askers.submit(ask) for _ in range(AT_ONCE)]}
            assert len(secrets) == 1
            assert [file.name for file in directory.iterdir()] == [NAME]
            assert stat.S_IMODE((directory / NAME).stat().st_mode) == 0o600


def test_of_two_secrets_that_are_brought_at_once_one_is_refused(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as bringers:
        for turn in range(200):
            barrier, directory = Barrier(2), tmp_path / str(turn) / "run"

            def bring(secret: bytes, barrier: Barrier = barrier, directory: Path = directory) -> bytes | None:
                barrier.wait()
                try:
                    keep_secret(directory, secret)
                except OutsideError:
                    return None
                return secret

            brought = [bringers.submit(bring, secret).result for secret in (b"one", b"another")]
            kept = [secret for secret in (each() for each in brought) if secret is not None]
            assert kept == [cluster_secret(directory)]


def test_a_secret_that_is_kept_again_is_the_same(tmp_path: Path) -> None:
    keep_secret(tmp_path, b"mine")
    keep_secret(tmp_path, b"mine")
    with pytest.raises(OutsideError, match="belongs to another cluster"):
        keep_secret(tmp_path, b"theirs")
    assert cluster_secret(tmp_path) == b"mine"
