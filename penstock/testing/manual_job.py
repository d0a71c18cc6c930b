"""A whole job in this process whose time the test moves."""

from typing import Any

from penstock.clock import ManualClock
from penstock.dataflow.submission import JobExecutionResult, JobStatus
from penstock.deploy.local.in_process import InProcessPool
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import ProgramError, ProtocolError
from penstock.ids import JobID
from penstock.plan.compile import compile_graph
from penstock.runtime.job.driver import JobDriver
from penstock.runtime.messages import Deployment
from penstock.runtime.placement import placed_together

MOST_STEPS = 1_000_000


class ManualJob:
    """Runs the program of an environment at parallelism 1, and only when it is told to: nothing waits, nothing is a thread.

    Sources that look for splits in threads of their own (folders that are watched, for one) are not waited for.

    >>> from penstock.common import WatermarkStrategy
    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> from penstock.testing import CollectingSink, Pause, ScriptedSource
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> source, sink = ScriptedSource(["a", Pause(60_000), "b"]), CollectingSink()
    >>> _ = env.from_source(source, WatermarkStrategy.no_watermarks(), "script").sink_to(sink)
    >>> job = ManualJob(env)
    >>> job.run_until_idle(); sink.records
    ['a']
    >>> job.advance(60_000); sink.records
    ['a', 'b']
    >>> job.status.name
    'FINISHED'
    """

    def __init__(self, environment: StreamExecutionEnvironment, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        graph = compile_graph(environment.get_stream_graph())
        placement = placed_together(graph)
        if placement.workers != 1:
            raise ProgramError(f"a ManualJob runs at parallelism 1, and the program has {placement.workers}")
        self._pool = InProcessPool(self.clock)
        self._driver = JobDriver(Deployment(JobID.random(), 0, graph, placement), self._pool, self.clock)
        self._driver.begin()

    @property
    def status(self) -> JobStatus:
        """Where the job stands."""
        return self._driver.status

    @property
    def is_done(self) -> bool:
        """Whether the job is over, one way or the other."""
        return self._driver.done

    def run_until_idle(self) -> None:
        """Run until there is nothing to do before time passes, or the job is over."""
        for _ in range(MOST_STEPS):
            if self._driver.done:
                return
            self._driver.step(0.0)
            if self._pool.is_idle:
                return
        raise ProtocolError(
            f"the job is still not idle after {MOST_STEPS} steps: does a source never come to rest?"
        )

    def advance(self, ms: int) -> None:
        """Run what there is to do now, let ``ms`` milliseconds pass, and run what is due then."""
        self.run_until_idle()
        self.clock.advance(ms)
        self.run_until_idle()

    def cancel(self) -> None:
        """Cancel the job, and wait until nothing is left of it."""
        self._driver.request_cancel()
        self.run_until_idle()

    def result(self) -> JobExecutionResult:
        """The result of a job that is done; raises what made it fail.

        :raises ProgramError: when the job still runs.
        """
        if not self._driver.done:
            raise ProgramError(f"the job is {self.status.name}: let time pass, or cancel it")
        return self._driver.result()

    def metrics(self) -> dict[str, Any]:
        """Every metric by its full name, as last reported."""
        return self._driver.metrics()

    def accumulators(self) -> dict[str, Any]:
        """The accumulators, as last reported."""
        return self._driver.accumulators()

    def __enter__(self) -> "ManualJob":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._driver.done:
            self.cancel()
