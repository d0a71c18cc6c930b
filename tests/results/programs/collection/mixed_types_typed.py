"""A collection of decimals, dates and lists within tuples."""

import datetime
from decimal import Decimal

from pyflink.common import Types


def program(env):
    kind = Types.TUPLE([Types.BIG_DEC(), Types.SQL_DATE(), Types.BASIC_ARRAY(Types.STRING()), Types.DOUBLE()])
    return env.from_collection(
        [(Decimal("1.20"), datetime.date(2020, 1, 2), ["a", "b"], 0.5)], type_info=kind
    )
