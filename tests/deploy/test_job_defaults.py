"""What a cluster's options say of its jobs."""

from dataclasses import replace

import pytest

from penstock.deploy.cluster.job_defaults import job_defaults, with_defaults
from tests.runtime.test_driver import graph_of

CLUSTER = {
    "state.checkpoints.dir": "/checkpoints",
    "execution.checkpointing.savepoint-dir": "/savepoints",
    "execution.checkpointing.interval": "1 s",
    "restart-strategy": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "7",
    "rest.port": "8081",
}
RESTARTS = {"restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": "7"}
PLACES = {
    "execution.checkpointing.dir": "/checkpoints",
    "execution.checkpointing.savepoint-dir": "/savepoints",
}


@pytest.mark.parametrize(
    ("own", "has"),
    [
        ({}, {**PLACES, **RESTARTS}),
        ({"a": "b", "restart-strategy.type": "none"}, {"a": "b", "restart-strategy.type": "none", **PLACES}),
        ({"restart-strategy": "none"}, {"restart-strategy": "none", **PLACES}),
        (
            {"state.savepoints.dir": "/own", "execution.checkpointing.dir": "/mine"},
            {"state.savepoints.dir": "/own", "execution.checkpointing.dir": "/mine", **RESTARTS},
        ),
    ],
)
def test_a_job_has_what_it_does_not_say_itself(own: dict[str, str], has: dict[str, str]) -> None:
    defaults = job_defaults(CLUSTER)
    assert defaults == {**PLACES, **RESTARTS}, "when checkpoints are taken is the program's"
    assert with_defaults(replace(graph_of(), settings=own), defaults).settings == has
