"""A stream whose type is no tuple cannot be projected."""

from pyflink.common import Row, Types

RAISES = "Only Tuple DataStreams can be projected."


def program(env):
    return env.from_collection([Row(1)], type_info=Types.ROW([Types.INT()])).project(0)
