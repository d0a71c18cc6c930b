"""What is known of watermark alignment: that it is asked for, and that nobody can give it."""

from penstock.contracts.watermarks import WatermarkStrategy
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller


def refuse_alignment(strategy: WatermarkStrategy) -> None:
    """Raise ``ProgramError`` for a strategy whose sources are to wait for each other."""
    if strategy.alignment is not None:
        raise ProgramError(
            f"the watermark strategy asks for alignment in group {strategy.alignment.group!r}, and sources do not wait for "
            "each other here; leave out with_watermark_alignment: results stay the same, but the state of a join or window "
            f"may grow while one source runs ahead ({origin_of_caller()})"
        )
