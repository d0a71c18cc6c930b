"""Instants keep seconds and nanoseconds."""

from pyflink.common import Instant, Types


def program(env):
    instants = env.from_collection([1, 2], type_info=Types.INT()).map(
        lambda x: Instant.of_epoch_milli(x * 1500), output_type=Types.INSTANT()
    )
    return instants.map(lambda i: i.to_epoch_milli(), output_type=Types.LONG())
