"""How dates, times and timestamps are shown."""

import datetime

from pyflink.common import Types

SINK = "print"
ORDER = "any"


def program(env):
    one = env.from_collection([1], type_info=Types.INT())
    one.map(lambda x: datetime.date(2024, 2, 29), output_type=Types.SQL_DATE()).print("date")
    one.map(lambda x: datetime.time(1, 2, 3), output_type=Types.SQL_TIME()).print("time")
    one.map(lambda x: datetime.datetime(2024, 2, 29, 1, 2, 3, 4000), output_type=Types.SQL_TIMESTAMP()).print(
        "stamp"
    )
