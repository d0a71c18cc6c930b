"""Sinks of two phases: what they wrote becomes visible exactly once, with the checkpoint that holds it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.common import Encoder
from penstock.contracts.sink import (
    Committer,
    CommittingSinkWriter,
    Sink,
    SinkWriter,
    SinkWriterContext,
    WriterInitContext,
)
from penstock.datastream.connectors.file_system import FileSink
from tests.recovery.test_jobs_start_again import EXPECTED, counted, environment, script


@dataclass(frozen=True)
class Transaction:
    """Rows that wait to be committed under a name."""

    name: str
    rows: tuple[Any, ...]


class TransactionSink(Sink):
    """Commits each transaction as a file of its name; the first tries of some are turned away."""

    def __init__(self, folder: Path, refused: int = 0) -> None:
        self.folder = folder
        self.refused = refused

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return _Writer(f"{context.index_of_subtask()}-{context.attempt_number()}")

    def create_committer(self) -> Committer:
        return _Committer(self)


class _Writer(CommittingSinkWriter):
    def __init__(self, name: str) -> None:
        self._name = name
        self._number = 0
        self._rows: list[Any] = []

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._rows.append(element)

    def prepare_commit(self) -> list[Any]:
        if not self._rows:
            return []
        self._number += 1
        transaction = Transaction(f"{self._name}-{self._number}", tuple(self._rows))
        self._rows = []
        return [transaction]


class _Committer(Committer):
    def __init__(self, sink: TransactionSink) -> None:
        self._sink = sink

    def commit(self, committables: list[Any]) -> list[Any]:
        if self._sink.refused > 0:
            self._sink.refused -= 1
            return committables
        for transaction in committables:
            file = self._sink.folder / transaction.name
            text = json.dumps(transaction.rows)
            assert not file.exists() or file.read_text() == text, "committed twice with other rows"
            file.write_text(text)
        return []


def committed(folder: Path) -> list[Any]:
    return sorted(tuple(row) for file in folder.iterdir() for row in json.loads(file.read_text()))


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_row_is_committed_once_although_the_job_fails(parallelism: int, tmp_path: Path) -> None:
    folder = tmp_path / "committed"
    folder.mkdir()
    env = environment(parallelism, tmp_path)
    counted(env, script(tmp_path, 15, 16, 45)).sink_to(TransactionSink(folder))
    env.execute()
    assert committed(folder) == EXPECTED


def test_a_commit_that_is_turned_away_is_tried_again_before_the_job_ends(tmp_path: Path) -> None:
    folder = tmp_path / "committed"
    folder.mkdir()
    env = environment(1, tmp_path, **{"execution.checkpointing.interval": "1 h"})
    env.enable_checkpointing(3_600_000)
    counted(env, script(tmp_path)).sink_to(TransactionSink(folder, refused=1))
    env.execute()
    assert committed(folder) == EXPECTED


def test_the_last_rows_of_a_bounded_job_are_committed_by_a_last_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "committed"
    folder.mkdir()
    env = environment(1, tmp_path)
    env.enable_checkpointing(3_600_000)
    counted(env, script(tmp_path)).sink_to(TransactionSink(folder))
    result = env.execute()
    assert [each.checkpoint_id for each in result.get_checkpoints()] == [1]
    assert committed(folder) == EXPECTED


def test_without_checkpoints_everything_is_committed_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "committed"
    folder.mkdir()
    env = environment(1, None)
    env.get_configuration().remove_config("execution.checkpointing.interval")
    counted(env, script(tmp_path)).sink_to(TransactionSink(folder))
    env.execute()
    assert committed(folder) == EXPECTED


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_files_have_every_row_once_although_the_job_fails(parallelism: int, tmp_path: Path) -> None:
    env = environment(parallelism, tmp_path)
    sink = FileSink.for_row_format(str(tmp_path / "out"), Encoder.simple_string_encoder()).build()
    counted(env, script(tmp_path, 15, 45)).map(str).sink_to(sink)
    env.execute()
    lines = [
        line
        for file in (tmp_path / "out").rglob("*")
        if file.is_file() and not file.name.startswith(".")
        for line in file.read_text().splitlines()
    ]
    assert sorted(lines) == sorted(map(str, EXPECTED))
