"""A Ray cluster of two nodes on this machine, on two addresses of the loopback interface, that is gone at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

MEMORY_BYTES = 80 << 20
NODE_CPUS = 2


class NoRay(Exception):
    """Ray cannot be had here; the text says why."""


@dataclass
class RayNodes:
    """``address`` is what ``--address`` takes."""

    cluster: Any
    second: Any

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def kill_second(self) -> None:
        """As a machine that loses its power."""
        self.cluster.remove_node(self.second, allow_graceful=False)
        self.second = None


@contextmanager
def ray_nodes() -> Iterator[RayNodes]:
    """Two nodes with two processors each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        from ray.cluster_utils import Cluster
    except ImportError as error:
        raise NoRay("ray is not installed") from error
    common = {"num_cpus": NODE_CPUS, "object_store_memory": MEMORY_BYTES, "include_dashboard": False}
    cluster = Cluster(
        initialize_head=True,
        head_node_args={**common, "node_ip_address": "127.0.0.2", "resources": {"head": 1}},
    )
    try:
        second = cluster.add_node(**common, node_ip_address="127.0.0.3")
        yield RayNodes(cluster, second)
    finally:
        cluster.shutdown()
