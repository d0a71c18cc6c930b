"""``execute_and_collect`` on a cluster: the rows come to the program, each once, and of the program's own classes."""

from pathlib import Path

import pytest

from penstock.deploy.cluster.row_transit import RowsOutlet, RowsPart
from penstock.deploy.cluster.secret import own_signing_keys, signing_key
from penstock.deploy.cluster.signed_values import pack, unpack
from penstock.errors import ProtocolError
from tests.cluster.conftest import Cluster

PROGRAM = """
from dataclasses import dataclass
from penstock.datastream import StreamExecutionEnvironment


@dataclass(frozen=True)
class Parcel:
    number: int
    weight: float


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
numbers = env.from_collection(range(20000))
parcels = numbers.map(lambda number: Parcel(number, number / 2))
with parcels.execute_and_collect("parcels") as found:
    rows = list(found)
assert all(isinstance(row, Parcel) for row in rows)
assert sorted(row.number for row in rows) == list(range(20000)), len(rows)
print("whole:", len(rows), max(rows, key=lambda row: row.number))
print("some:", len(numbers.execute_and_collect("some", 3)))
with numbers.map(lambda number: 1 / (number - 7)).execute_and_collect("failing") as found:
    list(found)
"""


def test_rows_come_whole_and_failures_are_raised(running_cluster: Cluster, tmp_path: Path) -> None:
    program = tmp_path / "parcels.py"
    program.write_text(PROGRAM)
    said = running_cluster.penstock("run", "-m", running_cluster.address, str(program), check=False)
    assert "whole: 20000 Parcel(number=19999, weight=9999.5)" in said, said
    assert "some: 3" in said
    assert "ZeroDivisionError" in said and f"{program}:22" in said
    states = {job["name"]: job["state"] for job in running_cluster.client.get("/jobs/overview")["jobs"]}
    assert states["parcels"] == "FINISHED" and states["failing"] == "FAILED"


def test_an_answer_that_was_lost_is_given_again() -> None:
    waiting, ended = [[1], [2]], [False]

    def take() -> object:
        while waiting:
            yield waiting.pop(0)

    outlet = RowsOutlet(take, lambda: ended[0], b"key")  # type: ignore[arg-type]
    first = unpack(outlet.part_after(0), [b"key"], RowsPart)
    assert (first.batches, first.has_ended) == ([[1], [2]], False)
    assert unpack(outlet.part_after(0), [b"key"], RowsPart) == first
    waiting.append([3])
    ended[0] = True
    second = unpack(outlet.part_after(first.number), [b"key"], RowsPart)
    assert (second.batches, second.has_ended) == ([[3]], False)
    assert unpack(outlet.part_after(second.number), [b"key"], RowsPart).has_ended


def test_rows_of_strangers_are_not_read() -> None:
    packed = pack(RowsPart("a", 1, [[1]], False), b"their key")
    with pytest.raises(ProtocolError, match="not signed by the cluster"):
        unpack(packed, [b"our key"], RowsPart)


def test_values_are_signed_with_the_token_of_a_cluster_that_has_one_whatever_the_clients_home_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    assert own_signing_keys(None) == ()
    assert own_signing_keys("token") == (signing_key(b"any", "token"),)
    (tmp_path / "run").mkdir()
    secret = tmp_path / "run" / "cluster.secret"
    secret.write_text("00ff")
    secret.chmod(0o600)
    assert set(own_signing_keys("token")) == {signing_key(b"any", "token"), signing_key(b"\x00\xff", None)}


RESULT = """
from penstock.contracts.accumulators import Histogram, IntCounter
from penstock.datastream import MapFunction, StreamExecutionEnvironment

class Counted(MapFunction):
    def open(self, runtime_context):
        self.lines, self.widths = IntCounter(), Histogram()
        runtime_context.add_accumulator("lines", self.lines)
        runtime_context.add_accumulator("widths", self.widths)
        self.paid = runtime_context.get_metrics_group().add_group("tax").counter("paid")

    def map(self, value):
        self.lines.add(1)
        self.widths.add(value % 3)
        self.paid.inc(value)
        return value

env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(50)
env.from_sequence(1, 2000).map(Counted()).name("tax").disable_chaining().print()
result = env.execute("result")
print("accumulators:", result.get_accumulator_result("lines") + 0, result.get_all_accumulator_results())
print("metric:", result.get_metrics()["tax.0.tax.paid"] + 0)
print("checkpoints:", all(each.checkpoint_id > 0 for each in result.get_checkpoints()))
print("restarts:", result.get_recovery().restarts + 0)
"""


def test_the_result_of_a_job_on_a_cluster_is_that_of_a_job_here(
    running_cluster: Cluster, tmp_path: Path
) -> None:
    program = tmp_path / "result.py"
    program.write_text(RESULT)
    there = running_cluster.penstock("run", "-m", running_cluster.address, str(program))
    here = running_cluster.penstock("run", str(program))
    for beginning in ("accumulators:", "metric:", "checkpoints:", "restarts:"):
        [expected] = [line for line in here.splitlines() if line.startswith(beginning)]
        assert expected in there.splitlines()
