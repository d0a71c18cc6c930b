"""Dates."""

import datetime

from pyflink.common import Types


def program(env):
    days = env.from_collection(
        [datetime.date(1970, 1, 1), datetime.date(2024, 2, 28)], type_info=Types.SQL_DATE()
    )
    return days.map(lambda day: day + datetime.timedelta(days=1), output_type=Types.SQL_DATE())
