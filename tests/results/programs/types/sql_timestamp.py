"""Timestamps of a collection, as functions see them."""

import datetime

from pyflink.common import Types


def program(env):
    moments = env.from_collection(
        [datetime.datetime(2024, 2, 28, 12, 0, 0, 123000)], type_info=Types.SQL_TIMESTAMP()
    )
    return moments.map(
        lambda moment: (moment + datetime.timedelta(days=2)).isoformat(), output_type=Types.STRING()
    )
