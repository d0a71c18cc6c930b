"""Decimals keep their digits."""

from decimal import Decimal

from pyflink.common import Types


def program(env):
    return env.from_collection([Decimal("1.50"), Decimal("-0.001")], type_info=Types.BIG_DEC()).map(
        lambda x: x * 2, output_type=Types.BIG_DEC()
    )
