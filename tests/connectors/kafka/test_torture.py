"""Exactly once from Kafka to Kafka, whatever is killed: workers, the whole program, brokers; with savepoints at changing
parallelism and transactions that time out in between."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from tests.connectors.kafka.talking import PATIENCE_S
from tests.connectors.kafka.torture import Torture
from tests.services.kafka_broker import KAFKA_3, KAFKA_4, KafkaCluster

pytestmark = pytest.mark.service

SHORT = {"transaction_timeout_ms": 1_000, "interval_ms": 400}
"""Transactions that a broker times out while the program is down or held."""


@pytest.fixture
def torture(apache_kafka: KafkaCluster, tmp_path: Path) -> Iterator[Torture]:
    with closing(Torture(apache_kafka, tmp_path, {}, seed=11)) as made:
        yield made


def test_a_handful_of_kills(torture: Torture) -> None:
    torture.start(2)
    blows = (
        torture.kill_a_worker,
        torture.stop_with_a_savepoint,
        torture.kill_the_program,
        torture.kill_a_worker,
    )
    for blow in blows:
        before = torture.written
        torture.write_some(600)
        torture.read_until(before + 100)
        blow()
        if torture.is_gone:
            torture.start(3)
    torture.read_until(torture.written)
    torture.check()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_program_that_was_held_while_another_took_over_writes_nothing_more(
    torture: Torture, parallelism: int
) -> None:
    torture.start(2)
    torture.write_some(300)
    torture.read_until(100)
    with torture.another_in_its_place(parallelism) as held:
        torture.write_some(300)
        torture.read_until(torture.written)
    torture.write_some(300)
    try:
        assert held.wait(PATIENCE_S) != 0
    finally:
        held.kill()
    assert "another run has taken over the transactions" in torture.said()
    torture.read_until(torture.written)
    torture.check()


@pytest.mark.slow
@pytest.mark.timeout(6_000)
@pytest.mark.parametrize(
    ("any_kafka", "options"),
    [pytest.param(KAFKA_4, {}, id=KAFKA_4), pytest.param(KAFKA_3, SHORT, id=f"{KAFKA_3}-short-transactions")],
    indirect=["any_kafka"],
)
def test_a_hundred_kills(apache_kafka: KafkaCluster, tmp_path: Path, options: dict[str, int]) -> None:
    with closing(Torture(apache_kafka, tmp_path, options, seed=11)) as torture:
        torture.start(2)
        blows = [torture.kill_a_worker] * 6 + [torture.kill_the_program] * 2 + [torture.kill_a_broker]
        blows += [torture.stop_with_a_savepoint]
        if options is SHORT:
            blows += [torture.stand_still_until_transactions_time_out] * 2
        while torture.kills < 100:
            before = torture.written
            torture.write_some(torture.chance.randrange(50, 400))
            if torture.chance.random() < 0.7:
                torture.read_until(before + torture.chance.randrange(0, 50))
            else:
                Event().wait(torture.chance.random())
            torture.chance.choice(blows)()
            if torture.is_gone:
                torture.start(torture.chance.choice([1, 2, 3]))
        torture.read_until(torture.written)
        torture.check()
        print(f"{dict(torture.blows)}, {torture.written} records")


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_transactions_that_time_out_before_their_commit_lose_nothing(
    apache_kafka: KafkaCluster, tmp_path: Path
) -> None:
    with closing(Torture(apache_kafka, tmp_path, SHORT, seed=5)) as torture:
        torture.start(2)
        for _ in range(5):
            before = torture.written
            torture.write_some(300)
            torture.read_until(before + 50)
            torture.stand_still_until_transactions_time_out()
        torture.read_until(torture.written)
        torture.check()
