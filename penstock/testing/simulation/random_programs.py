"""Programs made by a seed, whose output does not depend on who was quicker: what the engine's own simulations run.

They come in kinds. What a job may be put through says what of a program still has one right output: where sources are made to
end before they are at their end, windows would give less; where records may come again, sums would be other ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from penstock.chance import Chance
from penstock.common import Encoder
from penstock.datastream import DataStream, OutputTag, ProcessFunction, StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSink
from penstock.testing.simulation import stages
from penstock.testing.simulation.faults import Fault, Faults, Surroundings
from penstock.testing.simulation.further_stages import (
    held_for_a_while,
    held_until_marked,
    only_once,
    turns,
)
from penstock.testing.simulation.stages import Stage
from penstock.testing.simulation.world import Program, World

ODD = OutputTag("odd")

STAGES: tuple[Stage, ...] = (
    stages.rows,
    stages.spread,
    stages.window,
    stages.timers,
    stages.in_order,
    stages.union,
    stages.interval_join,
    stages.window_join,
    stages.broadcast,
    stages.asynchronous,
)
FURTHER: tuple[Stage, ...] = (held_until_marked, only_once, held_for_a_while)
BESIDE: tuple[Stage, ...] = (stages.rows, stages.rows, stages.spread, stages.window, stages.timers)
SIMPLE: tuple[Stage, ...] = (stages.rows, stages.spread)


@dataclass(frozen=True, slots=True)
class Kind:
    """What programs are made of, and what happens to them. A program has one or two of ``stages``, and perhaps one of
    ``further``; perhaps another one beside it has one of ``beside``."""

    stages: tuple[Stage, ...] = STAGES
    further: tuple[Stage, ...] = FURTHER
    beside: tuple[Stage, ...] = BESIDE
    surroundings: Surroundings = field(default_factory=Surroundings)
    share_with_further: float = 0.5


USUAL = Kind()
KINDS = {
    "usual": USUAL,
    "incremental": Kind(
        surroundings=Surroundings(
            backends=("rocksdb",),
            # With hardly a timer in memory all the others come from the database.
            options={
                "execution.checkpointing.incremental": "true",
                "state.backend.rocksdb.timer-service.cache-size": "1",
            },
        )
    ),
    "drained": Kind(
        (*SIMPLE, stages.in_order, stages.union, stages.asynchronous),
        beside=SIMPLE,
        surroundings=Surroundings(
            Faults(frozenset(Fault)),
            backends=("hashmap", "rocksdb"),
        ),
    ),
    "at-least-once": Kind(
        (
            *SIMPLE,
            stages.union,
            stages.interval_join,
            stages.window_join,
            stages.broadcast,
            stages.asynchronous,
        ),
        beside=SIMPLE,
        surroundings=Surroundings(
            backends=("hashmap", "rocksdb"), options={"execution.checkpointing.mode": "AT_LEAST_ONCE"}
        ),
    ),
    "loops": Kind(
        further=(turns,),
        share_with_further=1.0,
        # What comes back later than a loop waits is an error, so no channel is slow without measure.
        surroundings=Surroundings(
            Faults().without(Fault.SLOW_CHANNEL),
            options={
                "execution.checkpointing.unaligned.enabled": "false",
                "execution.checkpointing.interval": "20 ms",
            },
        ),
    ),
}


def random_program(seed: int, kind: Kind = USUAL) -> Program:
    """The program of a seed. It runs outside of a simulation, too, where its sinks and pauses are somebody else's."""

    def program(environment: StreamExecutionEnvironment, world: World) -> None:
        chance = world.chance(f"program {seed}")
        environment.set_max_parallelism(chance.choice((4, 5, 16, 128)))
        if chance.random() < 0.2:
            environment.disable_operator_chaining()
        environment.set_buffer_timeout(chance.choice((0, 5, 100)))
        stream = stages.source(environment, chance, "left")
        for _ in range(chance.randint(1, 2)):
            stage = chance.choice(kind.stages)
            stream = stage(stream, environment, chance)
            if chance.random() < 0.15:
                stream = stream.set_parallelism(chance.randint(1, 3))
        further = world.chance(f"further {seed}")
        if kind.further and further.random() < kind.share_with_further:
            stream = further.choice(kind.further)(stream, environment, further)
        _end(stream, world, chance)
        if (more := world.chance(f"beside {seed}")).random() < 0.35:
            _beside(environment, world, more, kind)

    return program


def _beside(environment: StreamExecutionEnvironment, world: World, chance: Chance, kind: Kind) -> None:
    """Another pipeline that shares nothing with the first, so that each can fail and start again alone."""
    stream = stages.source(environment, chance, "beside")
    stage = chance.choice(kind.beside)
    stage(stream, environment, chance).sink_to(world.sink("beside"))


class OddAside(ProcessFunction):
    """Sends records with odd numbers to a side output."""

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        if value[1] % 2:
            yield ODD, value
        else:
            yield value


def _end(stream: DataStream, world: World, chance: Chance) -> None:
    kind = chance.choice(("transactions", "transactions", "sides", "files"))
    if kind == "files":
        sink = FileSink.for_row_format(world.directory("files"), Encoder.simple_string_encoder()).build()
        stream.map(str).sink_to(sink)
    elif kind == "sides":
        even = stream.process(OddAside())
        even.get_side_output(ODD).sink_to(world.sink("odd"))
        even.sink_to(world.sink("even"))
    else:
        stream.sink_to(world.sink("records"))
