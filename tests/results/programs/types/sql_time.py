"""Times of the day."""

import datetime

from pyflink.common import Types


def program(env):
    times = env.from_collection(
        [datetime.time(0, 0, 1), datetime.time(23, 59, 59)], type_info=Types.SQL_TIME()
    )
    return times.map(lambda time: time.replace(second=30), output_type=Types.SQL_TIME())
