"""What a cluster wants of Ray, read from options; nothing here needs ray."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.config.configuration import Configuration
from penstock.errors import OptionError

STRATEGIES = ("PACK", "SPREAD", "STRICT_PACK", "STRICT_SPREAD")


@dataclass(frozen=True, slots=True)
class RayPlan:
    """``cpus`` and ``resources`` are of each TaskManager, and Ray's: they say where an actor may go, and limit nothing."""

    taskmanagers: int
    namespace: str = "penstock"
    strategy: str = "PACK"
    cpus: float = 1.0
    resources: dict[str, float] = field(default_factory=dict)
    jobmanager_cpus: float = 0.0
    jobmanager_resources: dict[str, float] = field(default_factory=dict)
    runtime_env: dict[str, Any] = field(default_factory=dict)

    def bundle(self) -> dict[str, float]:
        """What the place of a TaskManager has."""
        wanted = {"CPU": self.cpus, **self.resources}
        return {name: amount for name, amount in wanted.items() if amount}


def ray_plan(options: Mapping[str, str], taskmanagers: int, runtime_env: dict[str, Any]) -> RayPlan:
    """The plan that options make.

    :raises OptionError: naming the option and its value.

    >>> ray_plan({"taskmanager.numberOfTaskSlots": "2"}, 3, {}).bundle()
    {'CPU': 2.0}
    """
    slots = options.get("taskmanager.numberOfTaskSlots", "1")
    strategy = options.get("ray.placement-strategy", "PACK").upper()
    if strategy not in STRATEGIES:
        raise OptionError(f"ray.placement-strategy is one of {', '.join(STRATEGIES)}, not {strategy!r}")
    return RayPlan(
        taskmanagers,
        options.get("ray.namespace", "penstock"),
        strategy,
        _amount("ray.taskmanager.cpus", options.get("ray.taskmanager.cpus", slots)),
        _amounts("ray.taskmanager.resources", options),
        _amount("ray.jobmanager.cpus", options.get("ray.jobmanager.cpus", "0")),
        _amounts("ray.jobmanager.resources", options),
        runtime_env,
    )


def _amounts(key: str, options: Mapping[str, str]) -> dict[str, float]:
    from penstock.config.option import ConfigOptions

    option = ConfigOptions.key(key).map_type().no_default_value()
    given = Configuration.from_dict({key: options[key]}).get(option) if key in options else None
    return {name: _amount(f"{key}, {name}", text) for name, text in (given or {}).items()}


def _amount(key: str, text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if amount < 0:
        raise OptionError(f"{key} is a number that is not negative, not {text!r}")
    return amount
