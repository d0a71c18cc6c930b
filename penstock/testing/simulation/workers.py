"""The workers of a simulated job: real ones, that are stepped, spoken to and killed as the seed wants it."""

import pickle
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from penstock.chance import Chance
from penstock.clock import ManualClock
from penstock.data import code_pickle
from penstock.dataflow.job import JobGraph
from penstock.ids import WorkerIndex
from penstock.runtime.messages import (
    AssignSplits,
    CheckpointAcknowledged,
    Deploy,
    FromReader,
    FromWorker,
    MetricsReport,
    SubtaskFinished,
    TasksStopped,
    ToReader,
    ToWorker,
    WorkerDied,
    WorkerRegistered,
)
from penstock.runtime.worker.worker import Worker
from penstock.testing.simulation.actors import Actor, Killed, Scheduler
from penstock.testing.simulation.background import Delay, SimulatedBackground, background_maker
from penstock.testing.simulation.channels import SimulatedNetwork, SimulatedPlane
from penstock.testing.simulation.faults import Fault, Misfortunes
from penstock.testing.simulation.story import Story

LONG_S = 86_400.0
_WITH_VALUES = (AssignSplits, ToReader, FromReader, SubtaskFinished, TasksStopped)


def _as_sent(message: Any) -> Any:
    """What arrives in another process: a copy, where values of the user's are in it."""
    if isinstance(message, _WITH_VALUES):
        return pickle.loads(code_pickle.dumps(message))
    return message


class _Hosted(Worker):
    """A worker that tells its host when it wants to be stepped."""

    on_wake: Callable[[], None] = staticmethod(lambda: None)

    def wake_up(self) -> None:
        super().wake_up()
        self.on_wake()


class SimulatedWorker(Actor):
    """One worker process, from its start to its end."""

    def __init__(self, pool: "SimulatedPool", index: WorkerIndex, incarnation: int) -> None:
        super().__init__(f"worker {index}.{incarnation}")
        self._pool = pool
        self.index = index
        self.inbox: deque[tuple[int, ToWorker]] = deque()
        self.is_dead = False
        self._backgrounds: list[SimulatedBackground] = []
        self._plane: SimulatedPlane | None = None
        make = background_maker(self, pool.scheduler, pool.delay, self._backgrounds)
        self.process = _Hosted(index, pool.clock, make)
        self.process.on_wake = self._woken
        self.process.lets_through = lambda error: isinstance(error, Killed)
        self.process.make_data_plane = self._new_plane
        self.process.data_plane = self._new_plane()
        self._turned_last = False

    def _woken(self) -> None:
        self.is_idle = False

    def _new_plane(self) -> SimulatedPlane:
        self._plane = self._pool.network.new_plane(int(self.index), self, self.process.peer_lost)
        return self._plane

    def registration(self) -> WorkerRegistered:
        """What it says first."""
        assert self._plane is not None
        return WorkerRegistered(self.index, self._plane.address)

    def act(self) -> None:
        now = self._pool.clock.now_ms()
        if self.inbox and self.inbox[0][0] <= now and not (self._turned_last and self._pool.flip()):
            self._turned_last = False
            message = self.inbox.popleft()[1]
            self._pool.touch(f"{self.name} takes {type(message).__name__}")
            self.process.handle(message)
        else:
            self._turned_last = True
            self._pool.touch(f"{self.name} steps")
            if not self.process.turn():
                self._rest(now)
        self._post()

    def _rest(self, now: int) -> None:
        """Nothing to do but what time or others bring."""
        if self.inbox and self.inbox[0][0] <= now:
            return
        self.is_idle = True
        wait_s = self.process.wait_s(LONG_S)
        if wait_s < LONG_S:
            self._pool.scheduler.wake_at(now + max(1, round(wait_s * 1000 + 0.499)), self)

    def _post(self) -> None:
        while self.process.outbox:
            self._pool.from_worker(self, self.process.outbox.popleft())

    def died(self) -> None:
        if not self.is_dead:
            self._pool.bury(self, "simulated: killed")

    def vanish(self) -> None:
        """The process is gone, in the middle of whatever it did."""
        self.is_dead = True
        self.is_idle = True
        for background in self._backgrounds:
            background.discard()
        if self._plane is not None:
            self._pool.network.cut(self._plane, self._pool.share())
        self.process.vanish()

    def leave(self) -> None:
        """End in an orderly way, with all that is still being written."""
        self.process.close()
        self._post()
        self.is_dead = True
        self.is_idle = True


class SimulatedPool:
    """The workers of one job, as its driver sees them."""

    def __init__(
        self,
        graph: JobGraph,
        scheduler: Scheduler,
        chance: Chance,
        misfortunes: Misfortunes,
        story: Story,
        surroundings: tuple[Delay, Callable[[str], None]],
    ) -> None:
        self.scheduler = scheduler
        self.clock: ManualClock = scheduler.clock
        self.delay, self.touch = surroundings
        self.network = SimulatedNetwork(scheduler, self.delay, self.touch)
        self._chance = chance
        self._misfortunes = misfortunes
        self._story = story
        self._shipped = code_pickle.dumps(graph)
        self.workers: dict[WorkerIndex, SimulatedWorker] = {}
        self._incarnations = 0
        self._under_way: dict[WorkerIndex, deque[tuple[int, FromWorker]]] = {}
        self.driver: Actor | None = None

    def flip(self) -> bool:
        """One of two ways."""
        return self._chance.random() < 0.5

    def share(self) -> float:
        """Nothing, all, or a part of it."""
        return self._chance.choice((0.0, 1.0, self._chance.random()))

    # The port -----------------------------------------------------------------------------------------------------------

    def start(self, workers: Sequence[WorkerIndex]) -> None:
        for index in workers:
            self._incarnations += 1
            worker = SimulatedWorker(self, index, self._incarnations)
            self.workers[index] = worker
            self.scheduler.actors.append(worker)
            self._story.tell(f"{worker.name} starts")
            self.from_worker(worker, worker.registration())

    def kill(self, workers: Sequence[WorkerIndex]) -> None:
        for index in workers:
            worker = self.workers.get(index)
            if worker is not None and not worker.is_dead:
                self.bury(worker, "simulated: it did not stop its tasks in time")

    def send(self, worker: WorkerIndex, message: ToWorker) -> None:
        target = self.workers.get(worker)
        if target is None or target.is_dead:
            return
        if isinstance(message, Deploy):
            graph = pickle.loads(self._shipped)
            message = replace(message, deployment=replace(message.deployment, graph=graph))
        due_ms = self.clock.now_ms() + self.delay(Fault.LATE_MESSAGE)
        if target.inbox:
            due_ms = max(due_ms, target.inbox[-1][0])
        target.inbox.append((due_ms, _as_sent(message)))
        self.scheduler.wake_at(due_ms, target)

    def poll(self, timeout_s: float) -> list[FromWorker]:
        now = self.clock.now_ms()
        found: list[FromWorker] = []
        queues = [queue for queue in self._under_way.values() if queue]
        self._chance.shuffle(queues)
        for queue in queues:
            while queue and queue[0][0] <= now:
                found.append(queue.popleft()[1])
        return found

    def wake_up(self) -> None:
        if self.driver is not None:
            self.driver.is_idle = False

    def stop(self, grace_s: float) -> None:
        for worker in self.workers.values():
            if not worker.is_dead:
                self.scheduler.perform(worker, worker.leave)
                if worker in self.scheduler.actors:
                    self.scheduler.actors.remove(worker)

    # What comes from workers --------------------------------------------------------------------------------------------

    def from_worker(self, worker: SimulatedWorker, message: FromWorker) -> None:
        """A message sets out to the driver."""
        if isinstance(message, MetricsReport):
            return  # says how long things took on this machine
        if isinstance(message, CheckpointAcknowledged) and self._misfortunes.strikes(
            Fault.LOST_ACKNOWLEDGEMENT
        ):
            self._story.tell(
                f"FAULT {worker.name}: acknowledgement of {message.checkpoint_id} by {message.subtask} is lost"
            )
            return
        self._story.note(type(message).__name__)
        queue = self._under_way.setdefault(worker.index, deque())
        due_ms = self.clock.now_ms() + self.delay(Fault.LATE_MESSAGE)
        if queue:
            due_ms = max(due_ms, queue[-1][0])
        queue.append((due_ms, _as_sent(message)))
        if self.driver is not None:
            self.scheduler.wake_at(due_ms, self.driver)

    def bury(self, worker: SimulatedWorker, reason: str) -> None:
        """A worker has died: the last of what it said may be lost, and after that its death is told."""
        self._story.tell(f"FAULT {worker.name} dies")
        worker.vanish()
        if worker in self.scheduler.actors:
            self.scheduler.actors.remove(worker)
        queue = self._under_way.setdefault(worker.index, deque())
        for _ in range(round(len(queue) * self.share())):
            queue.pop()
        self.from_worker(worker, WorkerDied(worker.index, reason))

    def all_gone(self) -> None:
        """Every worker vanishes with the job."""
        for worker in self.workers.values():
            if not worker.is_dead:
                worker.vanish()
                if worker in self.scheduler.actors:
                    self.scheduler.actors.remove(worker)
