"""The snapshot of a chain is cut loose from what its operators go on with."""

from types import SimpleNamespace
from typing import Any

from penstock.operators.contract import Operator
from penstock.runtime.task.chain import OperatorChain


class Remembers(Operator):
    """Hands out the very list that it goes on changing."""

    def __init__(self) -> None:
        self.seen = [["first"]]
        self.context: Any = SimpleNamespace(
            participants=[], keyed_state=None, operator_state=None, operator_id="remembers"
        )

    def snapshot(self, checkpoint_id: int) -> Any:
        return self.seen


def test_what_an_operator_changes_after_its_snapshot_is_not_in_it() -> None:
    operator = Remembers()
    chain = OperatorChain.__new__(OperatorChain)
    chain.contexts, chain.operators, chain._timers = [operator.context], [operator], {}
    snapshot = chain.snapshot(5)["remembers"]
    operator.seen[0].append("second")
    assert snapshot.own == [["first"]]
    assert snapshot.checkpoint_id == 5
