"""Each pass alone: what it decides, and what it refuses, with the names of the operators that are at fault."""

from dataclasses import replace
from typing import Any

import pytest

from penstock.connectors.collection.source import NumberSequenceSource
from penstock.connectors.discard.sink import DiscardingSink
from penstock.contracts.partitioning import Broadcast, Forward, Partitioning, Rebalance
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.dataflow.logical import LogicalEdge, LogicalGraph, LogicalNode
from penstock.errors import OptionError, ProgramError
from penstock.operators.bridge import ColumnsToRowsSpec, RowsToColumnsSpec
from penstock.operators.contract import Layout, OperatorSpec, Origin
from penstock.operators.iteration import IterationHeadSpec, IterationTailSpec
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.operators.sink import SinkSpec
from penstock.operators.source import SourceSpec
from penstock.plan.passes.exchanges import choose_exchanges
from penstock.plan.passes.layouts import bridge_layouts
from penstock.plan.passes.mode import RUNTIME_MODE, choose_mode
from penstock.plan.passes.parallelism import settle_parallelism
from penstock.plan.passes.slot_sharing import share_slots
from penstock.plan.passes.uids import assign_uids
from penstock.plan.passes.validate import validate
from penstock.testing import ScriptedSource

MAP = RowChainSpec((RowStep("map", str, "map"),))
SINK = SinkSpec(DiscardingSink())
NUMBERS = SourceSpec(NumberSequenceSource(1, 3), WatermarkStrategy.no_watermarks())
ENDLESS = SourceSpec(ScriptedSource([], bounded=False), WatermarkStrategy.no_watermarks())


class Columns(OperatorSpec):
    """An operator that takes and gives columns."""

    @property
    def input_layout(self) -> Layout:
        return Layout.COLUMNS

    @property
    def output_layout(self) -> Layout:
        return Layout.COLUMNS


class Anything(OperatorSpec):
    """An operator that passes on what it takes."""

    @property
    def input_layout(self) -> Layout:
        return Layout.ANY

    @property
    def output_layout(self) -> Layout:
        return Layout.ANY


def node(node_id: int, spec: OperatorSpec, *inputs: int | LogicalEdge, **fields: Any) -> LogicalNode:
    edges = tuple(each if isinstance(each, LogicalEdge) else LogicalEdge(each) for each in inputs)
    return LogicalNode(node_id, fields.pop("name", f"n{node_id}"), spec, edges, **fields)


def graph(*nodes: LogicalNode, **settings: str) -> LogicalGraph:
    return LogicalGraph(nodes, "job", {key.replace("_", "."): value for key, value in settings.items()})


# validate ---------------------------------------------------------------------------------------------------------------


def test_a_graph_that_can_run_passes_validation_unchanged() -> None:
    good = graph(node(1, NUMBERS), node(2, SINK, 1))
    assert validate(good) is good


def test_a_program_without_operators_is_refused() -> None:
    with pytest.raises(ProgramError, match="No operators defined in streaming topology"):
        validate(graph())


def test_a_program_without_a_sink_is_refused_at_the_line_of_its_last_operator() -> None:
    last = node(2, MAP, 1, name="Map", origin=Origin("job.py", 7))
    with pytest.raises(ProgramError, match=r"no sink.*'Map' \(job.py:7\)"):
        validate(graph(node(1, NUMBERS), last))


@pytest.mark.parametrize("what", ["uid", "uid_hash"])
def test_an_identity_that_is_given_twice_is_refused_with_both_places(what: str) -> None:
    twice = {what: "same"}
    first, second = node(1, NUMBERS, name="first", **twice), node(2, SINK, 1, name="second", **twice)
    with pytest.raises(ProgramError, match=r"'same' is given 2 times, by 'first', 'second'"):
        validate(graph(first, second))


# mode -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "source", "chosen"),
    [
        (None, NUMBERS, "STREAMING"),
        ("STREAMING", NUMBERS, "STREAMING"),
        ("batch", NUMBERS, "BATCH"),
        ("AUTOMATIC", NUMBERS, "BATCH"),
        ("AUTOMATIC", ENDLESS, "STREAMING"),
    ],
)
def test_the_mode_follows_the_setting_and_the_sources(
    asked: str | None, source: OperatorSpec, chosen: str
) -> None:
    settings = {} if asked is None else {RUNTIME_MODE: asked}
    assert choose_mode(LogicalGraph((node(1, source),), "job", settings)).settings[RUNTIME_MODE] == chosen


def test_one_unbounded_source_among_others_makes_a_job_streaming() -> None:
    both = LogicalGraph((node(1, NUMBERS), node(2, ENDLESS)), "job", {RUNTIME_MODE: "AUTOMATIC"})
    assert choose_mode(both).settings[RUNTIME_MODE] == "STREAMING"


def test_batch_mode_over_an_unbounded_source_is_refused() -> None:
    with pytest.raises(ProgramError, match="unbounded source 'n1' cannot run in BATCH mode"):
        choose_mode(LogicalGraph((node(1, ENDLESS),), "job", {RUNTIME_MODE: "BATCH"}))


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(OptionError, match="'FAST'; it can be STREAMING, BATCH or AUTOMATIC"):
        choose_mode(LogicalGraph((node(1, NUMBERS),), "job", {RUNTIME_MODE: "fast"}))


# parallelism ------------------------------------------------------------------------------------------------------------


def settled(
    *nodes: LogicalNode, default: str | None = None, most: str | None = None
) -> list[tuple[Any, Any]]:
    settings = {"parallelism.default": default, "pipeline.max-parallelism": most}
    given = {key: value for key, value in settings.items() if value is not None}
    return [
        (n.parallelism, n.max_parallelism)
        for n in settle_parallelism(LogicalGraph(nodes, "job", given)).nodes
    ]


def test_an_operator_has_its_own_parallelism_else_that_of_the_settings_else_one() -> None:
    assert settled(node(1, MAP, parallelism=3), node(2, MAP), default="4") == [(3, 128), (4, 128)]
    assert settled(node(1, MAP)) == [(1, 128)]
    assert settled(node(1, MAP), default="-1", most="-1") == [(1, 128)]


def test_the_number_of_key_groups_is_its_own_else_that_of_the_settings_else_made_of_the_parallelism() -> None:
    assert settled(node(1, MAP, max_parallelism=7), node(2, MAP), most="64") == [(1, 7), (1, 64)]
    assert settled(node(1, MAP, parallelism=200)) == [(200, 512)]


@pytest.mark.parametrize(
    ("fields", "settings", "message"),
    [
        (
            {"parallelism": 9, "max_parallelism": 4},
            {},
            "'n1' .* has parallelism 9, above its maximum parallelism 4",
        ),
        ({}, {"default": "0"}, "must be at least 1"),
        ({}, {"default": "many"}, "'many'; it must be an integer"),
        ({}, {"most": "40000"}, "the most is 32768"),
    ],
)
def test_numbers_of_subtasks_that_make_no_sense_are_refused(
    fields: dict[str, Any], settings: dict[str, str], message: str
) -> None:
    with pytest.raises(ProgramError, match=message):
        settled(node(1, MAP, **fields), **settings)


# exchanges --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "receivers", "chosen"),
    [
        (None, 2, Forward()),
        (None, 3, Rebalance()),
        (Forward(), 2, Forward()),
        (Broadcast(), 2, Broadcast()),
        (Rebalance(), 2, Rebalance()),
    ],
)
def test_records_are_forwarded_between_equal_parallelisms_and_spread_between_others(
    asked: Partitioning | None, receivers: int, chosen: Partitioning
) -> None:
    chosen_graph = choose_exchanges(
        graph(node(1, NUMBERS, parallelism=2), node(2, MAP, LogicalEdge(1, asked), parallelism=receivers))
    )
    assert chosen_graph.node(2).inputs[0].partitioning == chosen


def test_forward_between_unequal_parallelisms_is_refused() -> None:
    with pytest.raises(
        ProgramError, match=r"forward\(\) from 'n1' \(parallelism 2\) to 'n2' \(parallelism 3"
    ):
        choose_exchanges(
            graph(node(1, NUMBERS, parallelism=2), node(2, MAP, LogicalEdge(1, Forward()), parallelism=3))
        )


# uids -------------------------------------------------------------------------------------------------------------------


def uids(*nodes: LogicalNode) -> dict[str, str | None]:
    return {n.name: n.uid_hash for n in assign_uids(graph(*nodes)).nodes}


def test_every_operator_gets_32_digits_that_no_other_has_and_that_stay() -> None:
    nodes = (node(1, NUMBERS), node(2, MAP, 1), node(3, MAP, 1), node(4, SINK, 2))
    given = uids(*nodes)
    assert given == uids(*nodes)
    assert len(set(given.values())) == 4
    assert all(uid is not None and len(uid) == 32 for uid in given.values())


def test_a_uid_holds_whatever_changes_around_it() -> None:
    alone = uids(node(1, NUMBERS), node(2, MAP, 1, uid="mine", name="mine"))
    moved = uids(node(1, NUMBERS), node(2, MAP, 1), node(3, MAP, 2), node(4, MAP, 3, uid="mine", name="mine"))
    assert alone["mine"] == moved["mine"]


def test_a_hash_of_the_user_is_taken_as_it_is() -> None:
    assert uids(node(1, NUMBERS, uid_hash="ab" * 16))["n1"] == "ab" * 16


def test_parallelism_names_and_operators_with_uids_beside_do_not_change_an_identity() -> None:
    plain = uids(node(1, NUMBERS, name="source"), node(2, MAP, 1, name="map"))
    beside = uids(
        node(1, NUMBERS, name="source", parallelism=4),
        node(5, MAP, 1, uid="extra", name="extra"),
        node(2, MAP, 1, name="map", parallelism=2),
    )
    assert (plain["source"], plain["map"]) == (beside["source"], beside["map"])


# layouts ----------------------------------------------------------------------------------------------------------------


def bridged(*nodes: LogicalNode) -> LogicalGraph:
    given = [replace(n, parallelism=2, max_parallelism=8, uid_hash=f"{n.id:032}") for n in nodes]
    return bridge_layouts(graph(*given))


def test_operators_of_one_layout_need_no_bridge() -> None:
    nodes = [node(1, Columns()), node(2, Columns(), 1), node(3, Anything(), 2), node(4, Columns(), 3)]
    assert len(bridged(*nodes).nodes) == 4


def test_a_bridge_stands_between_columns_and_rows_and_serves_all_readers() -> None:
    made = bridged(node(1, Columns()), node(2, MAP, 1), node(3, MAP, 1), node(4, Columns(), 2))
    bridges = [n for n in made.nodes if isinstance(n.spec, (ColumnsToRowsSpec, RowsToColumnsSpec))]
    assert [type(n.spec) for n in bridges] == [ColumnsToRowsSpec, RowsToColumnsSpec]
    to_rows, to_columns = bridges
    assert (to_rows.parallelism, to_rows.max_parallelism) == (2, 8)
    assert made.node(2).inputs[0].source == made.node(3).inputs[0].source == to_rows.id
    assert made.node(4).inputs[0].source == to_columns.id


def test_what_passes_anything_on_gives_the_layout_that_it_got() -> None:
    made = bridged(node(1, Columns()), node(2, Anything(), 1), node(3, MAP, 2))
    assert isinstance(made.node(made.node(3).inputs[0].source).spec, ColumnsToRowsSpec)


def test_the_exchange_stays_behind_the_bridge_and_every_bridge_has_an_identity_of_its_own() -> None:
    made = bridged(
        node(1, Columns()),
        node(2, MAP, LogicalEdge(1, Rebalance())),
        node(3, MAP, LogicalEdge(1, Broadcast(), side_tag="late")),
    )
    assert made.node(2).inputs[0].partitioning == Rebalance()
    assert made.node(3).inputs[0] == LogicalEdge(made.node(3).inputs[0].source, Broadcast())
    sources = [made.node(made.node(n).inputs[0].source) for n in (2, 3)]
    assert [n.inputs[0] for n in sources] == [LogicalEdge(1, Forward()), LogicalEdge(1, Forward(), 0, "late")]
    assert len({n.uid_hash for n in made.nodes}) == len(made.nodes)
    ids = [n.id for n in made.nodes]
    assert all(ids.index(edge.source) < ids.index(n.id) for n, edge in made.edges())


# slot sharing -----------------------------------------------------------------------------------------------------------


def test_a_slot_sharing_group_is_inherited_where_all_inputs_agree() -> None:
    shared = share_slots(
        graph(
            node(1, NUMBERS, slot_sharing_group="a"),
            node(2, MAP, 1),
            node(3, NUMBERS),
            node(4, MAP, 2, 3),
            node(5, MAP, 2, slot_sharing_group="b"),
            node(6, MAP, 2, 1),
        )
    )
    assert [n.slot_sharing_group for n in shared.nodes] == ["a", "a", "default", "default", "b", "a"]


def test_what_is_fed_back_stays_in_the_group_of_the_loops_head() -> None:
    shared = share_slots(
        graph(
            node(1, NUMBERS),
            node(2, IterationHeadSpec("loop", 0), 1, slot_sharing_group="a"),
            node(3, MAP, 2, slot_sharing_group="b"),
            node(4, IterationTailSpec("loop"), 3),
        )
    )
    assert [n.slot_sharing_group for n in shared.nodes] == ["default", "a", "b", "a"]
