"""Exactly once from Kafka to Kafka, whatever is killed: workers, the whole program, the broker; at changing parallelism."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from penstock.chance import seeded
from tests.connectors.kafka.talking import PATIENCE_S, new_topic, write
from tests.connectors.kafka.torture_job import KEYS
from tests.services.kafka_broker import KafkaCluster

pytestmark = pytest.mark.service

JOB = Path(__file__).with_name("torture_job.py")
PARTITIONS = 3


@dataclass
class Torture:
    """The running program, what was written for it and what has come out."""

    kafka: KafkaCluster
    folder: Path
    options: dict[str, Any]
    seed: int
    program: subprocess.Popen[bytes] | None = None
    written: int = 0
    seen: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.source = new_topic(self.kafka, PARTITIONS)
        self.target = new_topic(self.kafka, 2)
        self.chance = seeded(self.seed)
        self.consumer = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": f"torture-{self.target}",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self.consumer.assign([TopicPartition(self.target, partition, 0) for partition in range(2)])

    def start(self, parallelism: int) -> None:
        given = {
            "bootstrap": self.kafka.bootstrap,
            "source": self.source,
            "target": self.target,
            "checkpoints": str(self.folder / "checkpoints"),
            "parallelism": parallelism,
            "from": self.newest_checkpoint(),
            **self.options,
        }
        root = str(Path(__file__).resolve().parents[3])
        environment = {**os.environ, "PYTHONPATH": root + os.pathsep + os.environ.get("PYTHONPATH", "")}
        with open(self.folder / "output.txt", "ab") as output:
            self.program = subprocess.Popen(
                [sys.executable, str(JOB), json.dumps(given)],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def newest_checkpoint(self) -> str | None:
        manifests = (self.folder / "checkpoints").glob("*/chk-*/_metadata")
        newest = max(manifests, key=lambda path: path.stat().st_mtime_ns, default=None)
        return None if newest is None else str(newest.parent)

    def write_some(self, count: int) -> None:
        for partition in range(PARTITIONS):
            numbers = range(self.written + partition, self.written + count, PARTITIONS)
            write(self.kafka, self.source, map(str, numbers), partition)
        self.written += count

    def read_until(self, count: int) -> None:
        waited = 0.0
        while len(self.seen) < count:
            messages = self.consumer.consume(1_000, 0.2)
            self.seen += [message.value().decode() for message in messages if message.error() is None]
            waited = 0.0 if messages else waited + 0.2
            assert self.program is None or self.program.poll() is None, self.said()
            assert waited < PATIENCE_S, f"{len(self.seen)} of {count} rows came\n{self.said()}"

    def said(self) -> str:
        return (self.folder / "output.txt").read_text(errors="replace")[-3000:]

    def workers(self) -> list[int]:
        assert self.program is not None
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.program.pid)], check=False, capture_output=True, text=True
        )
        return [int(word) for word in listed.stdout.split()]

    def kill_a_worker(self) -> None:
        """Or the program, where it does all the work itself."""
        workers = self.workers()
        if not workers:
            self.kill_the_program()
            return
        with suppress(ProcessLookupError):
            os.kill(self.chance.choice(workers), signal.SIGKILL)
            self.kills["worker"] += 1

    def kill_the_program(self) -> None:
        if self.program is not None:
            self.kills["program"] += 1
            self.program.send_signal(signal.SIGKILL)
            self.program.wait()

    def kill_the_broker(self) -> None:
        self.kills["broker"] += 1
        (broker,) = self.kafka.brokers
        broker.kill()
        broker.start()
        self.kafka.wait_until_ready()

    def check(self) -> None:
        """Every number once, and the counts of a key are 1, 2, 3 and so on, each once."""
        numbers = Counter(int(row.split(":")[1]) for row in self.seen)
        assert numbers == Counter(range(self.written))
        counts: dict[int, list[int]] = {}
        for row in self.seen:
            key, _, count = map(int, row.split(":"))
            counts.setdefault(key, []).append(count)
        assert set(counts) == set(range(KEYS))
        for found in counts.values():
            assert sorted(found) == list(range(1, len(found) + 1))

    def close(self) -> None:
        self.kill_the_program()
        self.consumer.close()


@pytest.fixture
def torture(kafka: KafkaCluster, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    made = Torture(kafka, tmp_path, getattr(request, "param", {}), seed=11)
    yield made
    made.close()


def test_a_handful_of_kills(torture: Torture) -> None:
    torture.start(2)
    for blow in (torture.kill_a_worker, torture.kill_the_program, torture.kill_a_worker):
        before = torture.written
        torture.write_some(600)
        torture.read_until(before + 100)
        blow()
        if torture.program is not None and torture.program.poll() is not None:
            torture.start(3)
    torture.read_until(torture.written)
    torture.check()


@pytest.mark.slow
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize(
    "torture", [{}, {"transaction_timeout_ms": 1_000, "interval_ms": 400}], indirect=True
)
def test_a_hundred_kills(torture: Torture) -> None:
    torture.start(2)
    blows = [torture.kill_a_worker] * 6 + [torture.kill_the_program] * 2 + [torture.kill_the_broker]
    while sum(torture.kills.values()) < 100:
        before = torture.written
        torture.write_some(torture.chance.randrange(50, 400))
        if torture.chance.random() < 0.7:
            torture.read_until(before + torture.chance.randrange(0, 50))
        else:
            Event().wait(torture.chance.random())
        torture.chance.choice(blows)()
        if torture.program is not None and torture.program.poll() is not None:
            torture.start(torture.chance.choice([1, 2, 3]))
    torture.read_until(torture.written)
    torture.check()
    print(f"killed: {dict(torture.kills)}, {torture.written} records")
