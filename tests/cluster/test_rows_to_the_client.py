"""``execute_and_collect`` on a cluster: the rows come to the program, each once, and of the program's own classes."""

from pathlib import Path

import pytest

from penstock.deploy.cluster.row_transit import RowsOutlet, RowsPart, pack, unpack
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
    first = unpack(outlet.part_after(0), b"key")
    assert (first.batches, first.has_ended) == ([[1], [2]], False)
    assert unpack(outlet.part_after(0), b"key") == first
    waiting.append([3])
    ended[0] = True
    second = unpack(outlet.part_after(first.number), b"key")
    assert (second.batches, second.has_ended) == ([[3]], False)
    assert unpack(outlet.part_after(second.number), b"key").has_ended


def test_rows_of_strangers_are_not_read() -> None:
    packed = pack(RowsPart("a", 1, [[1]], False), b"their key")
    with pytest.raises(ProtocolError, match="not signed by the cluster"):
        unpack(packed, b"our key")
