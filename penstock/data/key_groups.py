"""Which subtask owns which keys: key groups and their contiguous ranges.

A key belongs to one of ``max_parallelism`` key groups for ever; a subtask owns a contiguous range of groups. So a job can be
restored at any parallelism up to ``max_parallelism`` by handing whole groups around. Source: Flink's documentation, "Stateful
Stream Processing", key groups.
"""

from penstock.errors import ProgramError

LOWEST_DEFAULT_MAX_PARALLELISM = 128
HIGHEST_MAX_PARALLELISM = 32768


def subtask_of_key_group(max_parallelism: int, parallelism: int, group: int) -> int:
    """The subtask that owns a key group.

    >>> [subtask_of_key_group(4, 3, group) for group in range(4)]
    [0, 0, 1, 2]
    """
    return group * parallelism // max_parallelism


def key_group_range(max_parallelism: int, parallelism: int, index: int) -> range:
    """The key groups that subtask ``index`` owns.

    Raises ``ProgramError`` when there is no such subtask, or when there are more subtasks than key groups.

    >>> [key_group_range(4, 3, index) for index in range(3)]
    [range(0, 2), range(2, 3), range(3, 4)]
    """
    check_parallelism(max_parallelism, parallelism)
    if not 0 <= index < parallelism:
        raise ProgramError(
            f"there is no subtask {index} among {parallelism}: count from 0 to {parallelism - 1}"
        )
    start = (index * max_parallelism + parallelism - 1) // parallelism
    last = ((index + 1) * max_parallelism - 1) // parallelism
    return range(start, last + 1)


def common_range(groups: range, others: range) -> range:
    """The key groups that are in both ranges.

    >>> common_range(range(4), range(2, 8)), len(common_range(range(2), range(5, 8)))
    (range(2, 4), 0)
    """
    return range(max(groups.start, others.start), min(groups.stop, others.stop))


def default_max_parallelism(parallelism: int) -> int:
    """The number of key groups of an operator for which none was set.

    >>> [default_max_parallelism(p) for p in (1, 85, 86, 200, 30000)]
    [128, 128, 256, 512, 32768]
    """
    wanted = parallelism + parallelism // 2
    power_of_two = 1 << max(wanted - 1, 0).bit_length()
    return min(max(power_of_two, LOWEST_DEFAULT_MAX_PARALLELISM), HIGHEST_MAX_PARALLELISM)


def check_parallelism(max_parallelism: int, parallelism: int) -> None:
    """Raise ``ProgramError`` unless ``1 <= parallelism <= max_parallelism <= 32768``."""
    if not 1 <= max_parallelism <= HIGHEST_MAX_PARALLELISM:
        raise ProgramError(
            f"the maximum parallelism is {max_parallelism}: it has to be between 1 and {HIGHEST_MAX_PARALLELISM}"
        )
    if not 1 <= parallelism <= max_parallelism:
        raise ProgramError(
            f"the parallelism is {parallelism}: it has to be between 1 and the maximum parallelism, {max_parallelism}"
        )
