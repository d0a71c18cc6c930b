"""A program that reads and writes Kafka exactly once, and everything that may befall it."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from penstock.chance import seeded
from tests.connectors.kafka.talking import PATIENCE_S, new_topic
from tests.connectors.kafka.torture_job import KEYS
from tests.services.kafka_broker import Broker, KafkaCluster

JOB = Path(__file__).with_name("torture_job.py")
SOURCE_PARTITIONS = 3
TARGET_PARTITIONS = 2


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
    blows: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.source = new_topic(self.kafka, SOURCE_PARTITIONS)
        self.target = new_topic(self.kafka, TARGET_PARTITIONS)
        self.chance = seeded(self.seed)
        self.producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "enable.idempotence": True})
        self.consumer = self._client("read_committed")
        self.consumer.assign([TopicPartition(self.target, each, 0) for each in range(TARGET_PARTITIONS)])

    def _client(self, isolation: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": f"torture-{self.target}",
                "isolation.level": isolation,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )

    # The program ----------------------------------------------------------------------------------------------------------

    def start(self, parallelism: int) -> None:
        """Start it where it was left: from the newest checkpoint or savepoint."""
        given = {
            "bootstrap": self.kafka.bootstrap,
            "source": self.source,
            "target": self.target,
            "checkpoints": str(self.folder / "checkpoints"),
            "savepoints": str(self.folder / "savepoints"),
            "parallelism": parallelism,
            "from": self._newest_snapshot(),
            **self.options,
        }
        root = str(Path(__file__).resolve().parents[3])
        environment = {**os.environ, "PYTHONPATH": root + os.pathsep + os.environ.get("PYTHONPATH", "")}
        with open(self.folder / "output.txt", "ab") as output:
            self.program = subprocess.Popen(
                [sys.executable, str(JOB), json.dumps(given)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def _newest_snapshot(self) -> str | None:
        manifests = [
            *(self.folder / "checkpoints").glob("*/chk-*/_metadata"),
            *(self.folder / "savepoints").glob("*/_metadata"),
        ]
        newest = max(manifests, key=lambda path: path.stat().st_mtime_ns, default=None)
        return None if newest is None else str(newest.parent)

    @property
    def is_gone(self) -> bool:
        """Whether it was killed or has stopped, and is to be started again."""
        return self.program is not None and self.program.poll() is not None

    def said(self) -> str:
        return (self.folder / "output.txt").read_text(errors="replace")[-3000:]

    def workers(self) -> list[int]:
        assert self.program is not None
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.program.pid)], check=False, capture_output=True, text=True
        )
        return [int(word) for word in listed.stdout.split()]

    def close(self) -> None:
        if self.program is not None:
            self.program.kill()
            self.program.wait()
        self.consumer.close()

    # What goes in and comes out -------------------------------------------------------------------------------------------

    def write_some(self, count: int) -> None:
        for partition in range(SOURCE_PARTITIONS):
            numbers = range(self.written + partition, self.written + count, SOURCE_PARTITIONS)
            for number in numbers:
                self.producer.produce(self.source, str(number), partition=partition)
        assert self.producer.flush(PATIENCE_S) == 0
        self.written += count

    def read_until(self, count: int) -> None:
        waited = 0.0
        while len(self.seen) < count:
            messages = self.consumer.consume(1_000, 0.2)
            self.seen += [message.value().decode() for message in messages if message.error() is None]
            waited = 0.0 if messages else waited + 0.2
            assert not self.is_gone, self.said()
            assert waited < PATIENCE_S, f"{len(self.seen)} of {count} rows came\n{self.said()}"

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

    # What befalls it ------------------------------------------------------------------------------------------------------

    @property
    def kills(self) -> int:
        return sum(count for blow, count in self.blows.items() if blow.startswith("killed"))

    def kill_a_worker(self) -> None:
        """Or the program, where it does all the work itself."""
        workers = self.workers()
        if not workers:
            self.kill_the_program()
            return
        with suppress(ProcessLookupError):
            os.kill(self.chance.choice(workers), signal.SIGKILL)
            self.blows["killed worker"] += 1

    def kill_the_program(self) -> None:
        """And with it the coordinator."""
        assert self.program is not None
        self.blows["killed program"] += 1
        self.program.kill()
        self.program.wait()

    def kill_a_broker(self) -> None:
        """It is started again at once."""
        broker = self.chance.choice(self.kafka.brokers)
        with self.dead(broker):
            pass

    @contextmanager
    def dead(self, broker: Broker) -> Iterator[None]:
        """The broker is dead within the block, and back after it."""
        self.blows["killed broker"] += 1
        broker.kill()
        yield
        broker.start()
        self.kafka.wait_until_ready()

    def stop_with_a_savepoint(self) -> None:
        assert self.program is not None
        self.blows["savepoint"] += 1
        assert self.program.stdin is not None
        self.program.stdin.write(b"stop\n")
        self.program.stdin.close()
        assert self.program.wait(PATIENCE_S) == 0, self.said()

    def stand_still_until_transactions_time_out(self) -> None:
        """The program is held until the broker has ended whatever it had open."""
        assert self.program is not None
        self.blows["held beyond the time-out"] += 1
        held = [self.program.pid, *self.workers()]
        _signal(held, signal.SIGSTOP)
        try:
            self._wait_until_nothing_is_open()
        finally:
            _signal(held, signal.SIGCONT)

    @contextmanager
    def another_in_its_place(self, parallelism: int) -> Iterator[subprocess.Popen[bytes]]:
        """Within the block the program is held, and another runs from its newest snapshot; after it the first goes on beside
        the other."""
        held = self.program
        assert held is not None
        processes = [held.pid, *self.workers()]
        _signal(processes, signal.SIGSTOP)
        self.blows["held while another ran"] += 1
        try:
            self.start(parallelism)
            yield held
        except BaseException:
            held.kill()
            raise
        finally:
            _signal(processes, signal.SIGCONT)

    def _wait_until_nothing_is_open(self) -> None:
        committed, everything = self._client("read_committed"), self._client("read_uncommitted")
        places = [TopicPartition(self.target, each) for each in range(TARGET_PARTITIONS)]
        for _ in range(int(PATIENCE_S / 0.1)):
            ends = [
                [client.get_watermark_offsets(place, timeout=PATIENCE_S)[1] for place in places]
                for client in (committed, everything)
            ]
            if ends[0] == ends[1]:
                break
            Event().wait(0.1)
        else:
            raise AssertionError(f"transactions stay open: {ends}")
        committed.close()
        everything.close()


def _signal(processes: list[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
