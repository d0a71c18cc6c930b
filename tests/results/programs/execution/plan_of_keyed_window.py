"""The execution plan of a keyed job: names of the steps and what ships the values."""

import json

from pyflink.common import Types

SINK = "returned"
PARALLELISM = 2


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    numbers.rebalance().key_by(lambda x: x % 2).reduce(lambda x, y: x + y).filter(lambda x: True).print()
    plan = json.loads(env.get_execution_plan())
    nodes = []
    for node in plan["nodes"]:
        strategies = [(part["ship_strategy"], part["side"]) for part in node.get("predecessors", [])]
        nodes.append((node["type"], node["pact"], node["contents"], node["parallelism"], strategies))
    return nodes
