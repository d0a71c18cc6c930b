"""Dates straight from the collection to the result."""

import datetime

from pyflink.common import Types


def program(env):
    return env.from_collection(
        [datetime.date(1969, 12, 31), datetime.date(2024, 2, 29)], type_info=Types.SQL_DATE()
    )
