"""One seed, one world: a job with its workers, storage and time in one thread, where the seed decides everything."""

from collections.abc import Callable
from concurrent.futures import Future

from penstock.chance import Chance, seeded
from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.manifest import MANIFEST_NAME, read_manifest
from penstock.clock import ManualClock
from penstock.dataflow.job import JobGraph
from penstock.dataflow.recovery import SavepointWish
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.found_checkpoints import find_start_again, noted
from penstock.deploy.cluster.job_store import LatestCheckpoint
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import StateError
from penstock.ids import JobID
from penstock.plan.compile import compile_graph
from penstock.runtime.job.driver import JobDriver
from penstock.runtime.job.start import KeptCheckpoints, Succession, find_start, from_start
from penstock.runtime.messages import Deployment
from penstock.runtime.placement import placed_together
from penstock.testing.simulation.actors import Actor, Killed, Scheduler
from penstock.testing.simulation.background import Delay, SimulatedBackground, background_maker, delays
from penstock.testing.simulation.faults import Fault, Misfortunes, Surroundings
from penstock.testing.simulation.files import PROTOCOL, ROOT, SimulatedFiles, file_system_class
from penstock.testing.simulation.invariants import (
    CHECKPOINTS,
    SAVEPOINTS,
    broken_savepoints,
    given_up,
    why_not_whole,
)
from penstock.testing.simulation.story import Story
from penstock.testing.simulation.transactions import Ledger, TransactionalSink
from penstock.testing.simulation.workers import LONG_S, SimulatedPool, SimulatedWorker

Program = Callable[[StreamExecutionEnvironment, "World"], None]

START_MS = 1_700_000_000_000
MOST_ACTS = 60_000
MOST_LIVES = 12

_worlds: list["World"] = []


def current_world() -> "World":
    """The world that is being simulated; functions of the user's that run in it may ask."""
    if not _worlds:
        raise StateError("no world is being simulated")
    return _worlds[-1]


def is_simulated() -> bool:
    """Whether the caller is in a simulated world."""
    return bool(_worlds)


def _current_ledger() -> Ledger:
    return current_world().ledger


class JobLost(Exception):
    """Nobody can go on with a job."""


class World:
    """What a seed makes. A program is given it to make its sinks and directories with."""

    def __init__(self, seed: int, surroundings: Surroundings | None = None) -> None:
        self.seed = seed
        around = self._around = Surroundings() if surroundings is None else surroundings
        self._is_calm = not around.faults.kinds
        self.chance_of_all = self._chance = seeded(f"penstock world {seed}")
        self.clock = ManualClock(START_MS)
        self.story = Story(self.clock, START_MS)
        self.misfortunes = Misfortunes(around.faults, seeded(f"penstock faults {seed}"))
        self.scheduler = Scheduler(self.clock, self._chance, self._is_calm)
        self.delay: Delay = (
            (lambda kind: 0) if self._is_calm else delays(self.misfortunes, self._chance.randint)
        )
        self.files = SimulatedFiles(self.misfortunes, self.story, self.touch, self._chance.random() < 0.5)
        self.ledger = Ledger(self.misfortunes, self.story, self.touch)
        self.sinks: dict[str, None] = {}
        self.directories: dict[str, None] = {}
        self.problems: list[str] = []
        self.given_up: list[str] = []
        self.asked_for_chance = False
        self._parallelism = 1
        self.job: SimulatedJob | None = None
        self._checkpointing = self._draw_checkpointing()

    # What a program asks ------------------------------------------------------------------------------------------------

    def sink(self, name: str) -> TransactionalSink:
        """A sink with two-phase commit, whose committed records are the output ``name``."""
        self.sinks[name] = None
        return TransactionalSink(name, _current_ledger)

    def directory(self, name: str) -> str:
        """The URL of a directory for a file sink; the lines of its visible files are the output ``name``."""
        self.directories[name] = None
        return ROOT + name

    def chance(self, name: str = "program") -> Chance:
        """Numbers for a program to be made by: the same each time that it is written, as after the death of the job."""
        self.asked_for_chance = True
        return seeded(f"penstock {name} {self.seed}")

    def maybe_raise(self) -> None:
        """To be called in functions of a program: raises when the seed wants a function to fail."""
        if self.misfortunes.strikes(Fault.FUNCTION_RAISES):
            self.story.tell("FAULT a function raises")
            raise RuntimeError("simulated: a function raises")

    def fingerprint(self) -> str:
        """The next number of its chance, its time, and a digest of what happened."""
        return f"{self._chance.random()!r} {self.clock.now_ms()} {self.story.digest()}"

    # What everybody in the world calls ----------------------------------------------------------------------------------

    def touch(self, what: str) -> None:
        """Whoever acts may die here."""
        actor = self.scheduler.acting
        victim = actor._owner if isinstance(actor, SimulatedBackground) else actor
        if victim is None or self.misfortunes.is_suspended:
            return
        if victim.is_doomed:
            raise Killed
        self.story.note(what)
        dies = isinstance(victim, SimulatedWorker) and self.misfortunes.strikes(Fault.WORKER_DIES)
        if isinstance(victim, SimulatedJob):
            victim.is_taken_up = self.misfortunes.strikes(Fault.JOBMANAGER_DIES)
            dies = victim.is_taken_up or self.misfortunes.strikes(Fault.JOB_DIES)
        if dies:
            self.story.tell(f"FAULT {victim.name} is killed at: {what}")
            victim.is_doomed = True
            raise Killed

    # Running ------------------------------------------------------------------------------------------------------------

    def run(self, program: Program) -> None:
        """Run a program to its end, over as many lives of its job as it takes."""
        _register()
        _worlds.append(self)
        try:
            start_from: str | None = None
            for _ in range(MOST_LIVES):
                before = self.job
                if before is not None and before.is_taken_up:
                    job = self.job = self._taken_up(before)
                else:
                    job = self.job = self._new_job(program, start_from)
                ended = self._live(job)
                if ended:
                    return
                start_from = self._find_newest(job)
        except JobLost as error:
            self.problems.append(str(error))
        else:
            self.problems.append(f"the job did not end in {MOST_LIVES} lives")
        finally:
            if self.job is not None:
                self.job.vanish()
            _worlds.remove(self)

    def _new_job(self, program: Program, start_from: str | None) -> "SimulatedJob":
        parallelism = self._chance.choice(self._around.parallelisms)
        backend = self._chance.choice(self._around.backends)
        options = {"state.backend.type": backend, **self._checkpointing, **self._around.options}
        if start_from is not None:
            options["execution.state-recovery.path"] = start_from
            options["execution.state-recovery.claim-mode"] = self._chance.choice(("CLAIM", "NO_CLAIM"))
        graph = self._compiled(program, options, parallelism)
        if start_from is not None and parallelism != self._parallelism and self._is_chained_otherwise(graph):
            parallelism = self._parallelism
            graph = self._compiled(program, options, parallelism)
        self._parallelism = parallelism
        if start_from is None:
            self.files.abandon()
        self.ledger.era += 1
        self.scheduler.forget_alarms()
        self.story.tell(
            f"a job starts at parallelism {parallelism} on {backend}, from {start_from or 'nothing'}"
        )
        with self.misfortunes.suspended():
            start = find_start(graph)
        job_id = JobID(f"{self._chance.getrandbits(128):032x}")
        job = SimulatedJob(self, job_id, graph, start.graph, from_start(start.checkpoint).kept)
        job.start_from = start_from
        return job

    def _taken_up(self, before: "SimulatedJob") -> "SimulatedJob":
        """Another JobManager finds what the one before it has noted, and what storage holds."""
        try:
            with self.misfortunes.suspended():
                start, kept = find_start_again(before.submitted, str(before.job_id), before.noted)
        except StateError as error:
            raise JobLost(f"the job cannot be taken up: {error}") from error
        self.ledger.era += 1
        self.scheduler.forget_alarms()
        self.story.tell(
            f"the job is taken up, from {'nothing' if kept.latest is None else kept.latest.directory}"
        )
        job = SimulatedJob(self, before.job_id, before.submitted, start.graph, kept, attempt=1)
        job.start_from = before.start_from
        job.note(kept.latest)
        self.files.abandon(SAVEPOINTS)  # of whose being written only that JobManager knew
        return job

    def _compiled(self, program: Program, options: dict[str, str], parallelism: int) -> JobGraph:
        environment = StreamExecutionEnvironment.get_execution_environment(options)
        environment.set_parallelism(parallelism)
        program(environment, self)
        return compile_graph(environment.get_stream_graph())

    def _is_chained_otherwise(self, graph: JobGraph) -> bool:
        """Whether records that are on their way in the checkpoint have nowhere to go in this graph."""
        try:
            with self.misfortunes.suspended():
                find_start(graph)
        except StateError as error:
            return "records in flight" in error.message
        return False

    def _live(self, job: "SimulatedJob") -> bool:
        """Run until the job is over, or dead; says whether there is nothing more to come."""
        self.scheduler.perform(job, job.begin)
        while not job.is_over:
            if not self.scheduler.run_one():
                self.problems.append("the job hangs: nobody has anything to do, and no time is waited for")
                return True
            if self.scheduler.acts > MOST_ACTS:
                self.problems.append(f"the job hangs: it is not over after {MOST_ACTS} acts")
                return True
        job.vanish()
        self.given_up += given_up(job.driver.checkpoints())
        if not job.is_dead:
            job.verify_savepoints()
        self.story.tell(f"the job is {'dead' if job.is_dead else job.driver.status.name}")
        if job.driver.status is JobStatus.FAILED:
            self.problems.append(f"the job failed: {job.driver.recovery().failures[-1]}")
        return job.driver.status.is_globally_terminal_state() and not job.stopped_with_savepoint

    def _find_newest(self, job: "SimulatedJob") -> str | None:
        """What somebody finds who looks for the newest checkpoint, or for the savepoint."""
        if (path := job.savepoint_path()) is not None:
            return path
        newest: list[tuple[int, str]] = []
        found = self._manifests_below(CHECKPOINTS)
        if job.stopped_with_savepoint:
            # It died over the removal of its checkpoints: who had it stopped looks where its savepoints lie.
            own = f"{ROOT}{SAVEPOINTS}/savepoint-{str(job.job_id)[:6]}-"
            found += [path for path in self._manifests_below(SAVEPOINTS) if path.startswith(own)]
        with self.misfortunes.suspended():
            # A savepoint that the job was to stop with is known by its note alone.
            for path in [*found, None if job.noted is None else job.noted.directory, job.start_from]:
                if path is None:
                    continue
                try:
                    manifest, place = read_manifest(path)
                except StateError:
                    continue  # torn, or removed since
                newest.append((manifest.checkpoint_id, str(place.directory)))
        number, found_path = max(newest, default=(0, None))
        if number <= job.went_on_from:
            self.files.abandon(
                but=job.found_files
            )  # nothing tells of the attempt that did not come to a checkpoint
        return found_path

    def _manifests_below(self, directory: str) -> list[str]:
        return [ROOT + path for path in self.files.below(directory) if path.endswith("/" + MANIFEST_NAME)]

    def _draw_checkpointing(self) -> dict[str, str]:
        chance, more = self._chance, seeded(f"penstock failover {self.seed}")
        interval_ms = chance.choice((5, 20, 60, 200))
        return {
            "execution.checkpointing.interval": f"{interval_ms} ms",
            "execution.checkpointing.timeout": f"{chance.choice((500, 2_000))} ms",
            "execution.checkpointing.min-pause": f"{chance.choice((0, 0, 10))} ms",
            "execution.checkpointing.max-concurrent-checkpoints": str(chance.choice((1, 1, 2))),
            "execution.checkpointing.tolerable-failed-checkpoints": str(chance.choice((0, 3, 1_000))),
            "execution.checkpointing.num-retained": str(chance.choice((1, 1, 2, 3))),
            "execution.checkpointing.unaligned.enabled": chance.choice(("true", "false")),
            "execution.checkpointing.aligned-checkpoint-timeout": f"{chance.choice((0, 0, 5, 50))} ms",
            "execution.checkpointing.dir": ROOT + CHECKPOINTS,
            "execution.checkpointing.savepoint-dir": ROOT + SAVEPOINTS,
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1000",
            "restart-strategy.fixed-delay.delay": f"{chance.choice((0, 1, 50))} ms",
            "jobmanager.execution.failover-strategy": "full" if more.random() < 0.2 else "region",
        }


class SimulatedJob(Actor):
    """One life of the job: its driver, and the workers that live and die with it."""

    def __init__(
        self,
        world: World,
        job_id: JobID,
        submitted: JobGraph,
        graph: JobGraph,
        kept: KeptCheckpoints,
        attempt: int = 0,
    ) -> None:
        super().__init__("the job")
        self._world = world
        self.job_id = job_id
        self.submitted = submitted
        scheduler, delay = world.scheduler, world.delay
        scheduler.actors.clear()
        scheduler.actors.append(self)
        self.pool = SimulatedPool(
            graph, scheduler, world.chance_of_all, world.misfortunes, world.story, (delay, world.touch)
        )
        self.pool.driver = self
        deployment = Deployment(job_id, attempt, graph, placed_together(graph))
        self._backgrounds: list[SimulatedBackground] = []
        make = background_maker(self, scheduler, delay, self._backgrounds)
        self.noted: LatestCheckpoint | None = None
        succession = Succession(kept, self.note)
        self.driver = JobDriver(deployment, self.pool, world.clock, succession, make)
        self.driver.on_status = self._tell_status
        self.is_taken_up = False
        self._begins_anew()
        self.is_dead = False
        self.start_from: str | None = None
        self._savepoint: Future[str] | None = None
        self.savepoints: list[Future[str]] = []
        self._seen = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.is_dead or self.driver.done

    def begin(self) -> None:
        """Start."""
        self.driver.begin()

    def note(self, latest: CompletedCheckpoint | None) -> None:
        """What the JobManager keeps in mind for the one after it."""
        self.noted = noted(str(self.job_id), latest)

    def _tell_status(self, status: JobStatus) -> None:
        part = sorted(map(str, self.driver.restarting_part or ()))
        self._world.story.tell(f"the job is {status.name}" + (f": {', '.join(part)} alone" if part else ""))
        if status is JobStatus.RUNNING:
            self._begins_anew()
            self._verify_newest()

    def act(self) -> None:
        world = self._world
        world.touch("the job steps")
        if self.driver.status is JobStatus.RUNNING:
            self._ask_for_savepoints()
        self.driver.step(0.0)
        self._verify()
        self.is_idle = True
        wait_s = self.driver.wait_s(LONG_S)
        if wait_s < LONG_S:
            now = world.clock.now_ms()
            world.scheduler.wake_at(now + max(1, round(wait_s * 1000 + 0.499)), self)

    def _ask_for_savepoints(self) -> None:
        world = self._world
        if world.misfortunes.strikes(Fault.SAVEPOINT_TAKEN):
            world.story.tell("FAULT somebody takes a savepoint")
            self.savepoints.append(self.driver.request_savepoint(SavepointWish(None)))
        if self._savepoint is not None:
            return
        for kind in (Fault.SAVEPOINT, Fault.DRAIN):
            if world.misfortunes.strikes(kind):
                drains = kind is Fault.DRAIN
                world.story.tell(f"FAULT somebody {'drains' if drains else 'stops'} the job with a savepoint")
                self._savepoint = self.driver.request_savepoint(
                    SavepointWish(None, stops=True, drains=drains)
                )
                self.savepoints.append(self._savepoint)
                return

    def died(self) -> None:
        self.is_dead = True

    def vanish(self) -> None:
        """Nothing of it goes on."""
        self.is_idle = True
        for background in self._backgrounds:
            background.discard()
        self.pool.all_gone()

    @property
    def stopped_with_savepoint(self) -> bool:
        """Whether it ended behind a savepoint, perhaps dying before anybody was told."""
        if self._savepoint is not None and self._savepoint.done():
            return self._savepoint.exception() is None
        return self.driver.status is JobStatus.FINISHED and self.driver.is_stopping

    def savepoint_path(self) -> str | None:
        """Where the savepoint lies with which the job was stopped."""
        if self._savepoint is None or self.is_dead or not self.stopped_with_savepoint:
            return None
        return self._savepoint.result()

    def _verify_newest(self) -> None:
        """Whoever looks for the newest checkpoint while an attempt runs finds none behind that which it has gone on from."""
        latest = self.driver.latest_checkpoint
        known = 0 if latest is None else latest.checkpoint_id
        files = self._world.files
        for path in files.below(f"{CHECKPOINTS}/{self.job_id}"):
            directory, _, name = path.rpartition("/")
            number = int(directory.rpartition("-")[2]) if name == MANIFEST_NAME else 0
            if number > known and directory not in files.undeletable and self._is_readable(directory):
                self._world.problems.append(
                    f"an attempt begins from checkpoint {known}, and there is a manifest of checkpoint {number}"
                )

    def _begins_anew(self) -> None:
        """An attempt begins, and finds what was there before."""
        latest = self.driver.latest_checkpoint
        self.went_on_from = 0 if latest is None else latest.checkpoint_id
        self.found_files = frozenset(self._world.files.content)

    def _is_readable(self, directory: str) -> bool:
        """Whether there is more of a manifest than what somebody wrote who died over it."""
        try:
            with self._world.misfortunes.suspended():
                read_manifest(ROOT + directory)
        except StateError:
            return False
        return True

    def _verify(self) -> None:
        """A checkpoint that is complete can be restored, every file of it."""
        latest = self.driver.latest_checkpoint
        if latest is None or latest.directory is None or latest.checkpoint_id == self._seen:
            return
        self._seen = latest.checkpoint_id
        world = self._world
        world.story.tell(f"checkpoint {latest.checkpoint_id} is complete")
        with world.misfortunes.suspended():
            why = why_not_whole(latest.directory, latest.manifest)
        if why is not None:
            world.problems.append(
                f"checkpoint {latest.checkpoint_id} is complete and cannot be restored: {why}"
            )

    def verify_savepoints(self) -> None:
        """It is over, and what it has left of savepoints is what somebody can start from."""
        world = self._world
        with world.misfortunes.suspended():
            world.problems += broken_savepoints(world.files, str(self.job_id), self.savepoints)


def _register() -> None:
    """Make ``simulated://`` known to fsspec."""
    import fsspec

    if PROTOCOL not in fsspec.registry:
        kind = file_system_class(lambda: current_world().files)
        fsspec.register_implementation(PROTOCOL, kind)
