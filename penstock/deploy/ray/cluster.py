"""Puts a JobManager and TaskManagers into a Ray cluster, and takes them out again.

The actors are detached: they outlive whoever starts them. Ray starts one again that has died, on another node if need be;
what that means for jobs is the business of epochs and checkpoints, as without Ray.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from penstock.clock import monotonic
from penstock.deploy.ray.actors import Begin, RoleActor
from penstock.deploy.ray.plan import RayPlan
from penstock.errors import OutsideError, ProgramError

JOBMANAGER = "penstock-jobmanager"
TASKMANAGER = "penstock-taskmanager-"
PLACES = "penstock-taskmanagers"
READY_S = 120.0
FOR_EVER = -1


@contextmanager
def connected(address: str, namespace: str) -> Iterator[None]:
    """Be a client of the Ray cluster at an address; ``auto``: of the one on this machine.

    :raises ProgramError: where ray is not installed.
    :raises OutsideError: where there is no Ray cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ProgramError("Ray is not installed: pip install 'penstock[ray]'") from error
    try:
        ray.init(address=address, namespace=namespace, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise OutsideError(
            f"there is no Ray cluster at {address!r} ({error}); start one with `ray start --head`, or name another with "
            "--address"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def is_running() -> bool:
    """Whether there is a JobManager in the namespace that this process is connected to."""
    return JOBMANAGER in _names()


def start(plan: RayPlan, jobmanager: Begin, taskmanager: Begin) -> None:
    """Start the actors, and wait until all are there.

    :raises OutsideError: where Ray has no room for them, or one cannot start.
    """
    import ray

    began = monotonic()
    actor = ray.remote(RoleActor)
    options: dict[str, Any] = {"lifetime": "detached", "max_restarts": FOR_EVER}
    if plan.runtime_env:
        options["runtime_env"] = plan.runtime_env
    try:
        handles = [
            actor.options(
                name=JOBMANAGER,
                num_cpus=plan.jobmanager_cpus,
                resources=plan.jobmanager_resources,
                **options,
            ).remote(jobmanager)
        ]
        if plan.taskmanagers:
            handles += _taskmanagers(plan, options, taskmanager)
        _wait_for(handles, began + READY_S)
    except BaseException:
        stop()
        raise


def stop() -> int:
    """Kill the actors of this namespace for good; gives how many there were."""
    import ray
    from ray.util.placement_group import get_placement_group, remove_placement_group

    stopped = 0
    for name in _names():
        with suppress(ValueError):
            ray.kill(ray.get_actor(name), no_restart=True)
            stopped += 1
    with suppress(ValueError):
        remove_placement_group(get_placement_group(PLACES))
    return stopped


def _taskmanagers(plan: RayPlan, options: dict[str, Any], begin: Begin) -> list[Any]:
    import ray
    from ray.util.placement_group import placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    bundle = plan.bundle() or {"CPU": 0.001}  # a place has to want something
    places = placement_group([bundle] * plan.taskmanagers, plan.strategy, PLACES, "detached")
    if not places.wait(READY_S):
        raise OutsideError(
            f"Ray has no room for {plan.taskmanagers} TaskManagers with {bundle} each ({plan.strategy}); it has "
            f"{_free()}; start fewer, ask for less with ray.taskmanager.cpus, or add nodes"
        )
    return [
        ray.remote(RoleActor)
        .options(
            name=f"{TASKMANAGER}{number}",
            num_cpus=plan.cpus,
            resources=plan.resources,
            scheduling_strategy=PlacementGroupSchedulingStrategy(places, number),
            **options,
        )
        .remote(begin)
        for number in range(plan.taskmanagers)
    ]


def _wait_for(handles: list[Any], deadline: float) -> None:
    import ray

    try:
        ray.get([handle.whereabouts.remote() for handle in handles], timeout=deadline - monotonic())
    except ray.exceptions.GetTimeoutError as error:
        raise OutsideError(f"the actors of the cluster are not there after {READY_S:g} s: {error}") from error
    except ray.exceptions.RayError as error:
        raise OutsideError(f"an actor of the cluster cannot start: {error}") from error


def _free() -> Any:
    import ray

    return ray.available_resources()


def _names() -> list[str]:
    from ray.util import list_named_actors

    return [name for name in list_named_actors() if name == JOBMANAGER or name.startswith(TASKMANAGER)]
