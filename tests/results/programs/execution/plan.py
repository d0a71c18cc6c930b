"""The execution plan of a job as JSON: nodes with their types, parallelism and what ships the values."""

import json

from pyflink.common import Types

SINK = "returned"
PARALLELISM = 2


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    numbers.map(lambda x: x, output_type=Types.INT()).name("step").print().name("out")
    plan = json.loads(env.get_execution_plan())
    nodes = []
    for node in plan["nodes"]:
        strategies = [(part["ship_strategy"], part["side"]) for part in node.get("predecessors", [])]
        nodes.append((node["type"], node["pact"], node["contents"], node["parallelism"], strategies))
    return nodes
