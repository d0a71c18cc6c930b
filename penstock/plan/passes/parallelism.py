"""Give every node its parallelism and its number of key groups."""

from dataclasses import replace

from penstock.data.key_groups import HIGHEST_MAX_PARALLELISM, default_max_parallelism
from penstock.dataflow.logical import LogicalGraph, LogicalNode
from penstock.errors import OptionError, ProgramError

DEFAULT_PARALLELISM = "parallelism.default"
MAX_PARALLELISM = "pipeline.max-parallelism"


def settle_parallelism(graph: LogicalGraph) -> LogicalGraph:
    """Defaults where the user said nothing; refuses a parallelism above the maximum."""
    default = _positive(graph, DEFAULT_PARALLELISM) or 1
    maximum = _positive(graph, MAX_PARALLELISM)
    if maximum is not None and maximum > HIGHEST_MAX_PARALLELISM:
        raise OptionError(f"{MAX_PARALLELISM} is {maximum}; the most is {HIGHEST_MAX_PARALLELISM}")
    return replace(graph, nodes=tuple(_settled(node, default, maximum) for node in graph.nodes))


def _settled(node: LogicalNode, default: int, maximum: int | None) -> LogicalNode:
    parallelism = node.parallelism or default
    most = node.max_parallelism or maximum or default_max_parallelism(parallelism)
    if parallelism > most:
        raise ProgramError(
            f"operator {node.name!r} ({node.origin}) has parallelism {parallelism}, above its maximum parallelism {most}; "
            "lower one or raise the other"
        )
    follows = node.parallelism is None and not node.fixed_parallelism
    is_open = node.max_parallelism is None and maximum is None
    return replace(
        node, parallelism=parallelism, max_parallelism=most, follows_default=follows, max_is_open=is_open
    )


def _positive(graph: LogicalGraph, key: str) -> int | None:
    text = graph.settings.get(key)
    if text is None:
        return None
    try:
        number = int(text)
    except ValueError:
        raise OptionError(f"{key} is {text!r}; it must be an integer") from None
    if number == -1:
        return None
    if number < 1:
        raise OptionError(f"{key} is {number}; it must be at least 1")
    return number
