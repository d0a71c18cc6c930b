"""LogicalGraph to JobGraph: an ordered tuple of passes, the cut into vertices, and where records are to be copied."""

from collections.abc import Callable

from penstock.dataflow.job import JobGraph
from penstock.dataflow.logical import LogicalGraph
from penstock.plan.passes.chain import chain
from penstock.plan.passes.copies import plan_copies
from penstock.plan.passes.exchanges import choose_exchanges
from penstock.plan.passes.layouts import bridge_layouts
from penstock.plan.passes.mode import choose_mode
from penstock.plan.passes.parallelism import settle_parallelism
from penstock.plan.passes.slot_sharing import share_slots
from penstock.plan.passes.uids import assign_uids
from penstock.plan.passes.validate import validate

Pass = Callable[[LogicalGraph], LogicalGraph]

PASSES: tuple[Pass, ...] = (
    validate,
    choose_mode,
    settle_parallelism,
    choose_exchanges,
    assign_uids,
    bridge_layouts,
    share_slots,
)


def settle(written: LogicalGraph) -> LogicalGraph:
    """The graph with everything decided that the user left open; still one node an operator."""
    for step in PASSES:
        written = step(written)
    return written


def compile_graph(written: LogicalGraph) -> JobGraph:
    """What will run.

    :raises ProgramError: when the graph cannot run, with the lines that wrote it.
    """
    return plan_copies(chain(settle(written)))
