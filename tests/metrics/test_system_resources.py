"""What the machine as a whole uses, out of files as Linux has them."""

from pathlib import Path

import pytest

from penstock.errors import OptionError
from penstock.metrics.process_metrics import process_metrics
from penstock.metrics.system_resources import Probe, SystemResources

#          user nice sys idle iowait irq softirq steal guest guest_nice
STAT = """cpu  {0} 0 100 {1} 50 0 0 0 0 0
cpu0 {0} 0 100 {1} 50 0 0 0 0 0
intr 12345 0 0
ctxt 99
"""
NET = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 5000 10 0 0 0 0 0 0 5000 10 0 0 0 0 0 0
  eth0:{0} 20 0 0 0 0 0 0 {1} 30 0 0 0 0 0 0
"""


def probe(proc: Path, at_s: float, user: int, idle: int, received: int, sent: int) -> Probe:
    (proc / "net").mkdir(exist_ok=True)
    (proc / "stat").write_text(STAT.format(user, idle))
    (proc / "net" / "dev").write_text(NET.format(received, sent))
    taken = Probe.taken(proc)
    return Probe(at_s, taken.ticks, taken.traffic)


def test_rates_are_those_between_two_probes(tmp_path: Path) -> None:
    before = probe(tmp_path, 10.0, user=1_000, idle=9_000, received=1_000, sent=2_000)
    after = probe(tmp_path, 12.0, user=1_030, idle=9_070, received=5_000, sent=2_400)
    found = after.since(before)
    assert (
        found["System.CPU.User"] == 30 and found["System.CPU.Idle"] == 70 and found["System.CPU.IOWait"] == 0
    )
    assert found["System.CPU.Usage"] == 30 and found["System.CPU.UsageCPU0"] == 30
    assert found["System.Network.eth0.ReceiveRate"] == 2_000 and found["System.Network.eth0.SendRate"] == 200
    assert found["System.Network.lo.SendRate"] == 0


def test_this_machine_has_processors_memory_and_a_network() -> None:
    found = SystemResources(0.0).read()
    assert 0 <= found["System.CPU.Usage"] <= 100 and found["System.CPU.Load15min"] >= 0
    assert 0 < found["System.Memory.Available"] < found["System.Memory.Total"]
    assert 0 <= found["System.Swap.Used"] <= found["System.Swap.Total"]
    assert found["System.Network.lo.ReceiveRate"] >= 0


def test_nothing_of_the_machine_is_measured_unless_it_is_wanted() -> None:
    assert SystemResources.of({}) is None
    assert "System.CPU.Usage" not in process_metrics(None)
    wanted = SystemResources.of({"metrics.system-resource": "true"})
    assert "System.CPU.Usage" in process_metrics(wanted)
    interval = "metrics.system-resource-probing-interval"
    with pytest.raises(OptionError, match=interval):
        SystemResources.of({"metrics.system-resource": "true", interval: "often"})
