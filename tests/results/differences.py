"""The programs that give other rows here than on Apache Flink, on purpose: why, and what they give instead."""
# ruff: noqa: E501  (rows are kept as they are)

from __future__ import annotations

import re
from dataclasses import dataclass, field

from comparison import EncodedRow


@dataclass(frozen=True, slots=True)
class Difference:
    """Why a program differs, with the rows of the outputs that do, or what the error says when it fails here."""

    reason: str
    outputs: dict[str, list[EncodedRow]] = field(default_factory=dict)
    fails_with: str | None = None


_PLACE = re.compile(r" ?\((?:/|[A-Z]:)[^()]*\.py:\d+\)")


def without_places(row: EncodedRow) -> EncodedRow:
    """The row without the files and lines of the program that error messages name.

    >>> without_places(["str", "wrong (/home/me/program.py:3)"])
    ['str', 'wrong']
    """
    return [_PLACE.sub("", text) for text in row]


DIFFERENCES = {
    "basic/flat_map_returning_none": Difference(
        "A plain function of flat_map may return None for no records",
        outputs={"": [["int", "1"]]},
    ),
    "basic/runtime_context_task_name": Difference(
        "get_task_name names the operator alone, not the chain that it runs in",
        outputs={"": [["tuple", "('mine', 'mine (1/1)#0')"]]},
    ),
    "broadcast_state/operations": Difference(
        "is_empty of a broadcast state that nothing was put into is True; PyFlink says False",
        outputs={
            "": [
                ["tuple", "('before', True, [])"],
                ["tuple", "('full', 1, 2, True, True, 1)"],
                ["tuple", "('after', ['x'], [1], ['x'])"],
                ["tuple", "('before', False, [('x', 1)])"],
                ["tuple", "('full', 1, 2, True, True, 1)"],
                ["tuple", "('after', ['x', 'y'], [1, 1], ['x', 'y'])"],
                ["tuple", "('cleared', True)"],
            ]
        },
    ),
    "errors/refused_functions": Difference(
        "key_by takes the position of a field, or its name",
        outputs={
            "returned": [
                [
                    "tuple",
                    "('map', 'ProgramError', \"map takes a function or an object with a method 'map', not 1 of type int\")",
                ],
                [
                    "tuple",
                    "('flat_map', 'ProgramError', \"flat_map takes a function or an object with a method 'flat_map', not 1 of type int\")",
                ],
                [
                    "tuple",
                    "('filter', 'ProgramError', \"filter takes a function or an object with a method 'filter', not 1 of type int\")",
                ],
                [
                    "tuple",
                    "('partition_custom', 'ProgramError', \"partition takes a function or an object with a method 'partition', not 1 of type int\")",
                ],
                [
                    "tuple",
                    "('keyed map', 'ProgramError', \"map takes a function or an object with a method 'map', not 1 of type int\")",
                ],
                [
                    "tuple",
                    "('keyed reduce', 'ProgramError', \"reduce takes a function or an object with a method 'reduce', not 1 of type int\")",
                ],
                ["tuple", "('keyed sum', 'ProgramError', 'sum takes a position or a field name, not 1.5')"],
                [
                    "tuple",
                    "('keyed process', 'ProgramError', \"process_element takes a function or an object with a method 'process_element', not 1 of type int\")",
                ],
                [
                    "tuple",
                    "('connected process', 'TypeMismatch', 'The input must be a CoProcessFunction or KeyedCoProcessFunction! It got 1; an object with the methods process_element1 and process_element2, or one plain function for each stream, will do')",
                ],
                [
                    "tuple",
                    "('connected flat_map', 'TypeMismatch', 'The input must be a CoFlatMapFunction! It got 1; an object with the methods flat_map1 and flat_map2, or one plain function for each stream, will do')",
                ],
            ]
        },
    ),
    "execution/plan_of_keyed_window": Difference(
        "Plans show the operators of the program; PyFlink shows a map that computes keys, and fuses names",
        outputs={
            "returned": [
                ["tuple", "('Source: Collection Source', 'Data Source', 'Source: Collection Source', 1, [])"],
                ["tuple", "('Reduce', 'Operator', 'Reduce', 2, [('HASH', 'second')])"],
                ["tuple", "('Filter', 'Operator', 'Filter', 2, [('FORWARD', 'second')])"],
                [
                    "tuple",
                    "('Sink: Print to Std. Out', 'Data Sink', 'Sink: Print to Std. Out', 2, [('FORWARD', 'second')])",
                ],
            ]
        },
    ),
    "keyed/no_repartitioning": Difference(
        "Errors in the use of the API are ProgramErrors with words of penstock's own",
        outputs={
            "returned": [
                [
                    "tuple",
                    "('shuffle', 'ProgramError', 'Cannot override partitioning for KeyedStream: key_by has spread the records by key')",
                ],
                [
                    "tuple",
                    "('rebalance', 'ProgramError', 'Cannot override partitioning for KeyedStream: key_by has spread the records by key')",
                ],
                [
                    "tuple",
                    "('rescale', 'ProgramError', 'Cannot override partitioning for KeyedStream: key_by has spread the records by key')",
                ],
                [
                    "tuple",
                    "('forward', 'ProgramError', 'Cannot override partitioning for KeyedStream: key_by has spread the records by key')",
                ],
                [
                    "tuple",
                    "('broadcast', 'ProgramError', 'Cannot override partitioning for KeyedStream: key_by has spread the records by key')",
                ],
                [
                    "tuple",
                    "('name', 'ProgramError', 'name for KeyedStream is not supported: it is for operators, and key_by only spreads records; call it on the operator before or behind')",
                ],
                [
                    "tuple",
                    "('uid', 'ProgramError', 'uid for KeyedStream is not supported: it is for operators, and key_by only spreads records; call it on the operator before or behind')",
                ],
                [
                    "tuple",
                    "('set_parallelism', 'ProgramError', 'set_parallelism for KeyedStream is not supported: it is for operators, and key_by only spreads records; call it on the operator before or behind')",
                ],
            ]
        },
    ),
    "keyed/subtask_of_key": Difference(
        "Which subtask has a key follows a hash of penstock's own",
        outputs={
            "string": [
                ["tuple", "(0, 0)"],
                ["tuple", "(1, 0)"],
                ["tuple", "(3, 0)"],
                ["tuple", "(7, 0)"],
                ["tuple", "(9, 0)"],
                ["tuple", "(10, 0)"],
                ["tuple", "(2, 1)"],
                ["tuple", "(4, 1)"],
                ["tuple", "(5, 1)"],
                ["tuple", "(6, 1)"],
                ["tuple", "(8, 1)"],
                ["tuple", "(11, 1)"],
            ],
            "int": [
                ["tuple", "(0, 0)"],
                ["tuple", "(2, 0)"],
                ["tuple", "(4, 0)"],
                ["tuple", "(7, 0)"],
                ["tuple", "(1, 1)"],
                ["tuple", "(3, 1)"],
                ["tuple", "(5, 1)"],
                ["tuple", "(6, 1)"],
                ["tuple", "(8, 1)"],
                ["tuple", "(9, 1)"],
                ["tuple", "(10, 1)"],
                ["tuple", "(11, 1)"],
            ],
            "long": [
                ["tuple", "(0, 0)"],
                ["tuple", "(2, 0)"],
                ["tuple", "(7, 0)"],
                ["tuple", "(10, 0)"],
                ["tuple", "(1, 1)"],
                ["tuple", "(3, 1)"],
                ["tuple", "(4, 1)"],
                ["tuple", "(5, 1)"],
                ["tuple", "(6, 1)"],
                ["tuple", "(8, 1)"],
                ["tuple", "(9, 1)"],
                ["tuple", "(11, 1)"],
            ],
            "tuple": [
                ["tuple", "(0, 0)"],
                ["tuple", "(1, 0)"],
                ["tuple", "(4, 0)"],
                ["tuple", "(5, 0)"],
                ["tuple", "(6, 0)"],
                ["tuple", "(7, 0)"],
                ["tuple", "(9, 0)"],
                ["tuple", "(10, 0)"],
                ["tuple", "(2, 1)"],
                ["tuple", "(3, 1)"],
                ["tuple", "(8, 1)"],
                ["tuple", "(11, 1)"],
            ],
            "open": [
                ["tuple", "(0, 0)"],
                ["tuple", "(2, 0)"],
                ["tuple", "(4, 0)"],
                ["tuple", "(7, 0)"],
                ["tuple", "(1, 1)"],
                ["tuple", "(3, 1)"],
                ["tuple", "(5, 1)"],
                ["tuple", "(6, 1)"],
                ["tuple", "(8, 1)"],
                ["tuple", "(9, 1)"],
                ["tuple", "(10, 1)"],
                ["tuple", "(11, 1)"],
            ],
        },
    ),
    "object_reuse/sliding_reduce_in_place": Difference(
        "Each window has records of its own, as with PyFlink's functions in thread mode; in process mode windows share them",
        outputs={
            "": [
                ["dict", "{'n': 1, 't': 1}"],
                ["dict", "{'n': 6, 't': 1}"],
                ["dict", "{'n': 14, 't': 2}"],
                ["dict", "{'n': 15, 't': 4}"],
                ["dict", "{'n': 6, 't': 6}"],
            ]
        },
    ),
    "object_reuse/value_state_changed_in_the_chain": Difference(
        "A state does not see what is done to a row that it gave, as in PyFlink's thread mode; in process mode it does",
        outputs={
            "": [
                ["list", "[1, 'seen']"],
                ["list", "[1, 2, 'seen']"],
                ["list", "[1, 2, 3, 'seen']"],
            ]
        },
    ),
    "object_reuse/window_elements_changed": Difference(
        "A window keeps its records as they came, as in PyFlink's thread mode; in process mode a function changes them",
        outputs={
            "": [
                ["list", "[1, 'seen']"],
                ["list", "[1, 'seen']"],
                ["list", "[2, 'seen']"],
                ["list", "[1, 'seen']"],
                ["list", "[2, 'seen']"],
                ["list", "[3, 'seen']"],
            ]
        },
    ),
    "printing/keyed_stream": Difference(
        "print of a keyed stream keeps its identifier",
        outputs={"stdout": [["line", "id> 1"], ["line", "id> 2"]]},
    ),
    "printing/parallelism_two": Difference(
        "Which subtask has a key follows a hash of penstock's own",
        outputs={
            "stdout": [
                ["line", "1> 0"],
                ["line", "1> 2"],
                ["line", "1> 4"],
                ["line", "2> 1"],
                ["line", "2> 3"],
                ["line", "2> 5"],
            ]
        },
    ),
    "printing/parallelism_two_with_identifier": Difference(
        "Which subtask has a key follows a hash of penstock's own",
        outputs={
            "stdout": [
                ["line", "id:1> 0"],
                ["line", "id:1> 2"],
                ["line", "id:1> 4"],
                ["line", "id:2> 1"],
                ["line", "id:2> 3"],
                ["line", "id:2> 5"],
            ]
        },
    ),
    "types/float": Difference(
        "A FLOAT comes back as the exact value of its four bytes; PyFlink gives the shortest digits that tell it",
        outputs={
            "": [
                ["float", "0.5"],
                ["float", "0.10000000149011612"],
                ["float", "0.3333333432674408"],
                ["float", "10000000000.0"],
            ]
        },
    ),
    "types/int_from_float": Difference(
        "A float where an INT is declared is an error and not cut off",
        fails_with="declared type Integer",
    ),
    "types/primitive_byte_array": Difference(
        "A PRIMITIVE_ARRAY of BYTE comes back as bytes; PyFlink gives a list of signed numbers",
        outputs={"": [["bytes", "b'\\x01\\xff'"], ["bytes", "b'\\x03\\xff'"]]},
    ),
    "state/row_in_state": Difference(
        "A row without names gets those that the type of its state declares, by which fields come and go with the next program",
        outputs={
            "": [
                ["tuple", "('None', None)"],
                ["tuple", "(\"Row(n=1, s='1')\", 1)"],
                ["tuple", "(\"Row(n=2, s='2')\", 2)"],
            ]
        },
    ),
    "types/row_from_tuple": Difference(
        "A tuple where a ROW is declared becomes a row",
        outputs={"": [["Row", "+IRow(f0=1, f1='1')"], ["Row", "+IRow(f0=2, f1='2')"]]},
    ),
    "types/tuple_from_list": Difference(
        "A list where a TUPLE is declared becomes a tuple",
        outputs={"": [["tuple", "('1', 1)"], ["tuple", "('2', 2)"]]},
    ),
    "types/tuple_seen_by_next_function": Difference(
        "A declared type is applied at once: the next function sees the names of a row; PyFlink applies it behind the chain",
        outputs={
            "tuple": [["tuple", "('tuple', \"(1, 't')\")"]],
            "row": [["tuple", "('Row', \"Row(n=1, s='r')\")"]],
        },
    ),
    "types/tuple_with_none": Difference(
        "None may stand inside a TUPLE",
        outputs={"": [["tuple", "(None, 1)"], ["tuple", "('b', 2)"]]},
    ),
    "windows/session_reduce_joined": Difference(
        "A session that joins two is reduced from both; in PyFlink's process mode from one of them",
        outputs={"": [["tuple", "('a', 12)", "'a'"], ["tuple", "('a', 30)", "'a'"]]},
    ),
    "windows/session_without_timestamps": Difference(
        "Event-time sessions refuse a record without a timestamp, as other event-time windows do",
        fails_with="a record without a timestamp reached an event-time window",
    ),
}
