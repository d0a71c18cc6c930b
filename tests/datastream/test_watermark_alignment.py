"""Alignment of watermarks is not done, and not passed over in silence."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.number_seq import NumberSequenceSource
from penstock.errors import ProgramError

ALIGNED = WatermarkStrategy.for_monotonous_timestamps().with_watermark_alignment("together", 500)


@pytest.mark.parametrize(
    "use",
    [
        lambda env: env.from_source(NumberSequenceSource(1, 2), ALIGNED, "numbers"),
        lambda env: env.from_collection([1]).assign_timestamps_and_watermarks(ALIGNED),
    ],
)
def test_a_strategy_with_alignment_is_refused_where_it_is_used(use: Callable[[Any], Any]) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    with pytest.raises(ProgramError, match=r"group 'together'.*test_watermark_alignment\.py:\d+"):
        use(env)
