"""Writes savepoints: new ones, and older ones with operators added, replaced, removed or renamed."""

from dataclasses import dataclass, replace
from typing import Any, Self

from penstock.checkpoint.handles import is_in_flight
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.settings import checkpoint_settings
from penstock.config.configuration import Configuration
from penstock.config.option import ConfigOption
from penstock.data.key_groups import HIGHEST_MAX_PARALLELISM
from penstock.datastream.state_backend import StateBackend
from penstock.datastream.stream import DataStream
from penstock.errors import ProgramError, StateError
from penstock.operators.user_code import origin_of_caller, shorten
from penstock.state_processor.bootstrapping import BootstrapSpec, no_checkpoints
from penstock.state_processor.operator_identifier import OperatorIdentifier, identifier_of
from penstock.state_processor.savepoint import Operator, Savepoint
from penstock.state_processor.transformations import StateBootstrapTransformation, checked_max_parallelism
from penstock.state_processor.writing import ManifestSpec, TakenOver, TakeOverSpec
from penstock.storage.reading import absolute_path
from penstock.storage.writing import files_below

_STATE_OPTIONS = ("state.backend.", "execution.checkpointing.incremental")
_NEW_CHECKPOINT_ID = 0


@dataclass(frozen=True, slots=True)
class _Made:
    """An operator whose state the job makes."""

    identifier: OperatorIdentifier
    transformation: StateBootstrapTransformation


class SavepointWriter:
    """Adds to a program what writes a savepoint; it is there once the program has been executed.

    ::

        accounts = OperatorTransformation.bootstrap_with(stream).key_by(lambda row: row[0]).transform(Accounts())
        SavepointWriter.new_savepoint(env, 128).with_operator("bank", accounts).write(path)
        env.execute()

    A program that starts from it has the same maximum parallelism and any parallelism, and any state backend. The job that
    writes it takes no checkpoints; BATCH mode suits it. Operators are named by ``OperatorIdentifier`` or by uid.
    """

    def __init__(
        self, environment: Any, base: Manifest, max_parallelism: int, place: CheckpointPlace | None
    ) -> None:
        self._environment = environment
        self._base = base
        self._max_parallelism = max_parallelism
        self._place = place
        self._kept: dict[str, OperatorRecord] = dict(base.operators)
        self._made: dict[str, _Made] = {}
        self._settings = Configuration()

    @staticmethod
    def new_savepoint(
        environment: Any,
        max_parallelism: int,
        state_backend: StateBackend | None = None,
        checkpoint_id: int = _NEW_CHECKPOINT_ID,
    ) -> "SavepointWriter":
        """Begin with nothing. ``max_parallelism``: the number of key groups, which the job that starts from it has, too.

        ``state_backend``: where the state is while it is made, None for that of the environment. ``checkpoint_id``: the
        number from which the checkpoints of the job count on.
        """
        if isinstance(checkpoint_id, bool) or not isinstance(checkpoint_id, int) or checkpoint_id < 0:
            raise ProgramError(
                f"a checkpoint id is a number from 0 on, not {shorten(checkpoint_id)} ({origin_of_caller()})"
            )
        base = Manifest(checkpoint_id, 0, "", "State Processor", True)
        writer = SavepointWriter(environment, base, checked_max_parallelism(max_parallelism), None)
        return writer._on(state_backend)

    @staticmethod
    def from_existing_savepoint(
        environment: Any, path: str, state_backend: StateBackend | None = None
    ) -> "SavepointWriter":
        """Begin with what the savepoint, or the retained checkpoint, at a path or URL holds. That one stays as it is.

        :raises StateError: when there is none, or it holds records that were on their way, as unaligned checkpoints do.
        """
        savepoint = Savepoint.read(path)
        records = savepoint.manifest.operators.values()
        on_the_way = [record for record in records if is_in_flight(record.operator_id)]
        if on_the_way:
            raise StateError(
                f"the checkpoint at {path} holds records that were on their way ({on_the_way[0].name}), and they fit "
                "no other state than its own; take a savepoint of the job, which holds none"
            )
        most = max((record.max_parallelism for record in records), default=HIGHEST_MAX_PARALLELISM)
        return SavepointWriter(environment, savepoint.manifest, most, savepoint.place)._on(state_backend)

    def with_operator(self, operator: Operator, transformation: StateBootstrapTransformation) -> Self:
        """Add an operator with the state that a transformation makes.

        :raises ProgramError: when there is one of this identity; remove it first to replace its state.
        """
        identifier = identifier_of(operator)
        if not isinstance(transformation, StateBootstrapTransformation):
            raise ProgramError(
                "with_operator takes what OperatorTransformation.bootstrap_with(...) has made with transform or window, not "
                f"{shorten(transformation)} ({origin_of_caller()})"
            )
        if transformation.stream.get_execution_environment() is not self._environment:
            raise ProgramError(
                f"the state of operator {identifier} is made of a stream of another environment ({origin_of_caller()})"
            )
        self._check_new(identifier)
        self._made[identifier.uid_hash] = _Made(identifier, transformation)
        return self

    def remove_operator(self, operator: Operator) -> Self:
        """Leave an operator and all its state behind."""
        identifier = self._known(operator)
        if self._made.pop(identifier.uid_hash, None) is None:
            del self._kept[identifier.uid_hash]
        return self

    def change_operator_identifier(self, from_operator: Operator, to_operator: Operator) -> Self:
        """Give an operator's state to another identity, for a program whose operator has another uid, or now has one."""
        old, new = self._known(from_operator), identifier_of(to_operator)
        self._check_new(new)
        made = self._made.pop(old.uid_hash, None)
        if made is None:
            self._kept[new.uid_hash] = self._kept.pop(old.uid_hash)
        else:
            self._made[new.uid_hash] = replace(made, identifier=new)
        return self

    def with_configuration(self, option: ConfigOption[Any] | str, value: Any) -> Self:
        """Set an option of the state backend that state is made with; other options belong to the environment."""
        key = option.key if isinstance(option, ConfigOption) else option
        if not isinstance(key, str) or not key.startswith(_STATE_OPTIONS):
            raise ProgramError(
                f"with_configuration takes options of the state backend (state.backend.*), not {shorten(key)}; set others in "
                f"the configuration of the environment ({origin_of_caller()})"
            )
        self._settings.set(key, value)
        return self

    def write(self, path: str) -> None:
        """Add the operators that write the savepoint into a new or empty directory, at a path or URL of all workers.

        :raises ProgramError: when something is there already, there would be nothing in the savepoint, or the environment
            takes checkpoints.
        """
        directory = absolute_path(path).rstrip("/")
        if files_below(directory):
            raise ProgramError(
                f"a savepoint is written into a new directory, and there is something in {directory} already; write to "
                f"another path, or delete it ({origin_of_caller()})"
            )
        self._check_no_checkpoints()
        if not self._made and not self._kept:
            raise ProgramError(f"there is no operator to write into the savepoint ({origin_of_caller()})")
        streams = [self._bootstrapped(made, directory) for made in self._made.values()]
        streams.append(self._taken_over(directory))
        records = {operator_id: _as_record(operator_id, record) for operator_id, record in self._kept.items()}
        records |= {operator_id: self._record(made) for operator_id, made in self._made.items()}
        manifest = replace(self._base, operators=records)
        fixed = {"parallelism": 1, "max_parallelism": 1, "fixed_parallelism": True}
        streams[0].union(*streams[1:])._then(
            "Write savepoint", ManifestSpec(manifest, directory), None, **fixed
        )

    # What is written ----------------------------------------------------------------------------------------------------

    def _bootstrapped(self, made: _Made, directory: str) -> DataStream[Any]:
        """The handles of what the subtasks of a new operator have written."""
        transformation, record = made.transformation, self._record(made)
        spec = BootstrapSpec(
            transformation.spec,
            record.operator_id,
            record.name,
            directory,
            self._base.checkpoint_id,
            tuple(self._settings.to_dict().items()),
        )
        handles = transformation.stream._then(
            f"Bootstrap {record.name}",
            spec,
            None,
            parallelism=record.parallelism,
            max_parallelism=record.max_parallelism,
            fixed_parallelism=True,
        )
        self._environment.program.refine(handles._node_id, origin=transformation.origin)
        return handles

    def _record(self, made: _Made) -> OperatorRecord:
        most = made.transformation.max_parallelism or self._max_parallelism
        parallelism = 1 if made.transformation.alone else min(self._environment.get_parallelism(), most)
        identifier = made.identifier
        return OperatorRecord(
            identifier.uid_hash, identifier.uid or identifier.uid_hash, parallelism, most, (), None, ()
        )

    def _taken_over(self, directory: str) -> DataStream[Any]:
        """The handles of what is copied from the savepoint that was begun with."""
        place = self._place or CheckpointPlace(None)
        old = [
            TakenOver(handle, operator_id)
            for operator_id, record in self._kept.items()
            for handle in record.handles
        ]
        source: DataStream[Any] = self._environment.from_collection(old).name("State of the savepoint")
        return source.rebalance()._then("Take over state", TakeOverSpec(place, directory))

    # Checks -------------------------------------------------------------------------------------------------------------

    def _on(self, state_backend: StateBackend | None) -> Self:
        if state_backend is None:
            return self
        if not isinstance(state_backend, StateBackend):
            raise ProgramError(
                f"a StateBackend is expected, not {shorten(state_backend)} ({origin_of_caller()})"
            )
        state_backend.apply_to(self._settings)
        return self

    def _check_no_checkpoints(self) -> None:
        settings = self._environment.get_configuration().to_dict()
        is_batch = settings.get("execution.runtime-mode", "STREAMING").upper() != "STREAMING"
        if checkpoint_settings(settings, is_batch).enabled:
            raise ProgramError(f"{no_checkpoints().message} ({origin_of_caller()})")

    def _known(self, operator: Operator) -> OperatorIdentifier:
        identifier = identifier_of(operator)
        if identifier.uid_hash not in self._kept and identifier.uid_hash not in self._made:
            raise ProgramError(
                f"there is no operator {identifier} to be changed; there are: {self._listed()} ({origin_of_caller()})"
            )
        return identifier

    def _check_new(self, identifier: OperatorIdentifier) -> None:
        if identifier.uid_hash in self._kept or identifier.uid_hash in self._made:
            raise ProgramError(
                f"the savepoint has an operator {identifier} already; every one is there once, so remove it first "
                f"({origin_of_caller()})"
            )

    def _listed(self) -> str:
        kept = [f"{record.name!r} ({operator_id})" for operator_id, record in self._kept.items()]
        return ", ".join(kept + [str(made.identifier) for made in self._made.values()]) or "none"


def _as_record(operator_id: str, record: OperatorRecord) -> OperatorRecord:
    """What is known of an operator before its files are copied."""
    return replace(record, operator_id=operator_id, handles=())
