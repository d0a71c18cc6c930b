"""Give every operator an identity that survives a restart: the user's uid, else a hash of its place in the graph."""

import hashlib
from dataclasses import replace

from penstock.dataflow.logical import LogicalGraph, LogicalNode

OperatorId = str


def assign_uids(graph: LogicalGraph) -> LogicalGraph:
    """Fill in ``uid_hash``: 32 hexadecimal digits.

    Without a uid the hash is made of the operator's kind, its position among the nodes without a uid, and the identities of
    its inputs: stable from run to run, but not when operators are added before it. Parallelism does not count.
    """
    done: dict[int, str] = {}
    nodes = []
    position = 0
    for node in graph.nodes:
        done[node.id] = node.uid_hash or _hash(node, position, done)
        position += node.uid is None and node.uid_hash is None
        nodes.append(replace(node, uid_hash=done[node.id]))
    return replace(graph, nodes=tuple(nodes))


def hash_of_uid(uid: str) -> str:
    """The identity of the operator that the user calls ``uid``."""
    return hashlib.blake2b(b"uid:" + uid.encode(), digest_size=16).hexdigest()


def _hash(node: LogicalNode, position: int, done: dict[int, str]) -> str:
    if node.uid is not None:
        return hash_of_uid(node.uid)
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{position}:{type(node.spec).__name__}".encode())
    for edge in node.inputs:
        digest.update(f":{done[edge.source]}/{edge.side_tag}/{edge.port}".encode())
    return digest.hexdigest()
