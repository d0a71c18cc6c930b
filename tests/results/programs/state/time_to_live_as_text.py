"""What a time-to-live configuration answers about itself."""

from pyflink.common import Time
from pyflink.datastream.state import StateTtlConfig

SINK = "returned"


def program(env):
    config = StateTtlConfig.new_builder(Time.minutes(5)).build()
    return [
        str(config.get_update_type()),
        str(config.get_state_visibility()),
        config.get_ttl().to_milliseconds(),
        str(config.get_ttl_time_characteristic()),
        config.is_enabled(),
        config.get_cleanup_strategies().is_cleanup_in_background(),
    ]
