"""What goes wrong in a simulated world, and how often: drawn from the seed before anything runs."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum

from penstock.chance import Chance


class Fault(Enum):
    """The ways in which things go wrong."""

    WORKER_DIES = "a worker dies"
    JOB_DIES = "the whole job dies"
    SAVEPOINT = "the job is stopped with a savepoint and goes on from it"
    LOST_ACKNOWLEDGEMENT = "an acknowledgement is lost"
    LATE_MESSAGE = "a control message is late"
    FAILED_WRITE = "a write fails"
    TORN_WRITE = "a write stops in the middle"
    FAILED_AFTERWARDS = "a write is reported as failed, but is there"
    FAILED_DELETION = "a deletion fails"
    FAILED_READ = "a read fails"
    SLOW_STORAGE = "writing takes long"
    SLOW_CHANNEL = "a channel is slow"
    FAILED_COMMIT = "a commit fails"
    LATE_COMMIT = "a committer wants to be asked again later"
    COMMIT_REPORTED_AS_FAILED = "a commit is done and reported as failed"
    FUNCTION_RAISES = "a function of the user's raises"
    SAVEPOINT_TAKEN = "somebody takes a savepoint, and the job goes on"
    DRAIN = "the sources are made to end, and the job goes on from a savepoint behind that"
    JOBMANAGER_DIES = "the JobManager dies, and another takes the job up"


USUAL = frozenset(Fault) - {Fault.DRAIN}
"""Those under which every program has to give what it would have given: windows give less where their input ends early."""


REACH = {
    Fault.WORKER_DIES: 900,
    Fault.JOB_DIES: 400,
    Fault.SAVEPOINT: 300,
    Fault.SAVEPOINT_TAKEN: 200,
    Fault.DRAIN: 300,
    Fault.JOBMANAGER_DIES: 400,
    Fault.FUNCTION_RAISES: 100,
    Fault.LATE_MESSAGE: 100,
    Fault.SLOW_CHANNEL: 200,
    Fault.SLOW_STORAGE: 40,
}
USUAL_REACH = 30


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults a world may have, and how many of each at most. Each seed draws from them; many draw none of a kind.

    ``DRAIN`` is among them only where it is named: see ``USUAL``.

    >>> Faults.none().kinds
    frozenset()
    """

    kinds: frozenset[Fault] = USUAL
    most_of_each: int = 3

    @staticmethod
    def none() -> "Faults":
        """A world in which all goes well."""
        return Faults(frozenset())

    @staticmethod
    def only(*kinds: Fault) -> "Faults":
        """A world in which nothing else goes wrong."""
        return Faults(frozenset(kinds))

    def without(self, *kinds: Fault) -> "Faults":
        """The same without some kinds."""
        return Faults(self.kinds.difference(kinds), self.most_of_each)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a seed does not decide, but chooses from: faults, parallelisms, state backends; and options of the job.

    The backend is chosen anew when a job goes on from a checkpoint, as is its parallelism.
    """

    faults: Faults = field(default_factory=Faults)
    parallelisms: tuple[int, ...] = (1, 2, 3, 4)
    backends: tuple[str, ...] = ("hashmap",)
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def gives_each_row_once(self) -> bool:
        """Whether the options are not those under which rows may come again."""
        return self.options.get("execution.checkpointing.mode") != "AT_LEAST_ONCE"

    def calm(self) -> "Surroundings":
        """The same where nothing goes wrong, at the lowest parallelism, in the first backend."""
        return replace(
            self,
            faults=Faults.none(),
            parallelisms=(min(self.parallelisms),),
            backends=self.backends[:1],
        )


class Misfortunes:
    """Says at each opportunity whether a fault strikes. After so many strikes of a kind it strikes no more.

    How many opportunities pass by first is drawn so that one, ten and a hundred are equally likely, whatever the world is.
    """

    def __init__(self, faults: Faults, chance: Chance) -> None:
        self._chance = chance
        self._left: dict[Fault, int] = {}
        self._countdown: dict[Fault, int] = {}
        for kind in Fault:  # in this order, whatever is in the set
            if kind in faults.kinds and chance.random() < 0.5:
                self._left[kind] = chance.randint(1, faults.most_of_each)
                self._countdown[kind] = self._draw(kind)
        self.struck: list[Fault] = []
        self.is_suspended = False

    def strikes(self, kind: Fault) -> bool:
        """Whether it happens here and now."""
        if self.is_suspended or not self._left.get(kind):
            return False
        self._countdown[kind] -= 1
        if self._countdown[kind] > 0:
            return False
        self._left[kind] -= 1
        self._countdown[kind] = self._draw(kind)
        self.struck.append(kind)
        return True

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """While somebody only looks, nothing goes wrong."""
        before, self.is_suspended = self.is_suspended, True
        try:
            yield
        finally:
            self.is_suspended = before

    def _draw(self, kind: Fault) -> int:
        return max(1, round(math.exp(self._chance.uniform(0, math.log(REACH.get(kind, USUAL_REACH))))))
