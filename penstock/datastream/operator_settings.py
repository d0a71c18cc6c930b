"""What can be set on an operator of a stream or sink after it was written: name, uid, parallelism, chaining, slots."""

from typing import Any, Self

from penstock.data.key_groups import HIGHEST_MAX_PARALLELISM
from penstock.dataflow.logical import ChainingStrategy
from penstock.datastream.arguments import text_argument
from penstock.datastream.program import Environment, positive
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller, shorten

KINDS_IN_NAMES = ("Source: ", "Sink: ")


class OperatorSettings:
    """Refines one node of the program. Every method returns the object itself, so that calls can be chained."""

    def __init__(self, environment: Environment, node_id: int) -> None:
        self._environment = environment
        self._node_id = node_id

    def _refine(self, what: str, **fields: Any) -> None:
        """Change the node; streams that stand for no single operator override it."""
        self._environment.program.refine(self._node_id, **fields)

    def _shown_name(self) -> str:
        return self._environment.program.node(self._node_id).name

    def name(self, name: str) -> Self:
        """Name the operator, for plans, logs, metrics and errors."""
        if not isinstance(name, str):
            raise ProgramError(f"a name is a str, not {name!r} ({origin_of_caller()})")
        # As in Flink: plans, logs and metrics show the kind in front; the name that was given stays what get_name gives.
        kind = next((kind for kind in KINDS_IN_NAMES if self._shown_name().startswith(kind)), "")
        self._refine("name", name=f"{kind}{name}")
        return self

    def uid(self, uid: str) -> Self:
        """Give the operator an identity that holds over changes of the program, for its state in savepoints."""
        if not isinstance(uid, str) or not uid:
            raise ProgramError(f"a uid is a str that is not empty, not {uid!r} ({origin_of_caller()})")
        self._refine("uid", uid=uid)
        return self

    def set_uid_hash(self, uid_hash: str) -> Self:
        """Set the operator's identity itself: 32 hexadecimal digits, as logs and savepoints show it."""
        if not isinstance(uid_hash, str) or len(uid_hash) != 32 or set(uid_hash) - set("0123456789abcdef"):
            raise ProgramError(
                f"a uid hash is a str of 32 lower-case hexadecimal digits, not {uid_hash!r} ({origin_of_caller()})"
            )
        self._refine("set_uid_hash", uid_hash=uid_hash)
        return self

    def set_parallelism(self, parallelism: int) -> Self:
        """Run the operator in so many subtasks."""
        node = self._environment.program.node(self._node_id)
        if node.fixed_parallelism and parallelism != node.parallelism:
            raise ProgramError(
                f"the parallelism of the non parallel operator {node.name!r} must be {node.parallelism}, "
                f"not {parallelism} ({origin_of_caller()})"
            )
        self._refine("set_parallelism", parallelism=positive("parallelism", parallelism))
        return self

    def set_max_parallelism(self, max_parallelism: int) -> Self:
        """Set the number of key groups: the most subtasks that the operator can ever have with its state."""
        if positive("maximum parallelism", max_parallelism) > HIGHEST_MAX_PARALLELISM:
            raise ProgramError(
                f"maximum parallelism is {max_parallelism}; the most is {HIGHEST_MAX_PARALLELISM} ({origin_of_caller()})"
            )
        self._refine("set_max_parallelism", max_parallelism=max_parallelism)
        return self

    def force_non_parallel(self) -> Self:
        """Run the operator in one subtask, whatever is set elsewhere."""
        self._refine("force_non_parallel", parallelism=1, max_parallelism=1, fixed_parallelism=True)
        return self

    def set_description(self, description: str) -> Self:
        """Describe the operator at length, for plans."""
        self._refine("set_description", description=text_argument(description, "a description"))
        return self

    def set_buffer_timeout(self, timeout_millis: int) -> Self:
        """Send records on at the latest after so many milliseconds; 0 at once, -1 only when a batch is full."""
        if isinstance(timeout_millis, bool) or not isinstance(timeout_millis, int) or timeout_millis < -1:
            raise ProgramError(
                f"a buffer timeout is an integer of milliseconds, 0 or -1, not {timeout_millis!r} ({origin_of_caller()})"
            )
        self._refine("set_buffer_timeout", buffer_timeout_ms=timeout_millis)
        return self

    def start_new_chain(self) -> Self:
        """Begin a new task with this operator."""
        self._refine("start_new_chain", chaining=ChainingStrategy.HEAD)
        return self

    def disable_chaining(self) -> Self:
        """Run this operator in a task of its own."""
        self._refine("disable_chaining", chaining=ChainingStrategy.NEVER)
        return self

    def slot_sharing_group(self, slot_sharing_group: Any) -> Self:
        """Put the operator into a slot sharing group, by name or as a ``SlotSharingGroup``."""
        group = slot_sharing_group
        if not isinstance(group, str):
            if isinstance(group, type) or not callable(getattr(group, "get_name", None)):
                raise ProgramError(
                    f"a slot sharing group is given by its name or as a SlotSharingGroup, not {shorten(group)} "
                    f"({origin_of_caller()})"
                )
            from penstock.datastream.slot_sharing_group import SlotSharingGroup

            if isinstance(group, SlotSharingGroup):
                self._environment.use_slot_sharing_group(group)
            group = group.get_name()
        self._refine("slot_sharing_group", slot_sharing_group=group)
        return self
