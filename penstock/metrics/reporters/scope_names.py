"""The full names of metrics: the formats of ``metrics.scope.*``, filled with the variables of a reading.

Source: Flink's documentation, "Metrics", "Scope".
"""

import re
from collections.abc import Mapping

from penstock.config.catalogue import get_option
from penstock.errors import ProgramError
from penstock.metrics.readings import Reading, Scope

_VARIABLE = re.compile(r"<(\w+)>")
_KNOWN = {
    Scope.JOBMANAGER: {"host"},
    Scope.JOB: {"host", "job_id", "job_name"},
    Scope.TASKMANAGER: {"host", "tm_id"},
}
_OF_TASKS = {
    "host", "tm_id", "job_id", "job_name", "task_id", "task_name", "task_attempt_num", "subtask_index",
}  # fmt: skip
_KNOWN[Scope.TASK] = _OF_TASKS
_KNOWN[Scope.OPERATOR] = _OF_TASKS | {"operator_id", "operator_name"}


class ScopeNames:
    """Names readings.

    >>> names = ScopeNames({"metrics.scope.jm": "<host>.boss"})
    >>> names.of(Reading(Scope.JOBMANAGER, "numRunningJobs", 1, {"host": "here"}), delimiter="/")
    'here/boss/numRunningJobs'

    :raises ProgramError: for a format with a variable that its scope has not.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        self._formats: dict[Scope, list[str]] = {}
        for scope in Scope:
            key = f"metrics.scope.{scope.value}"
            text = options.get(key) or str(get_option(key).default)
            for variable in _VARIABLE.findall(text):
                if variable not in _KNOWN[scope]:
                    known = ", ".join(f"<{each}>" for each in sorted(_KNOWN[scope]))
                    raise ProgramError(f"{key}: there is no <{variable}> in {text!r}; there are {known}")
            self._formats[scope] = text.split(".")

    def of(self, reading: Reading, delimiter: str = ".") -> str:
        """The full name of a metric."""
        parts = [
            _VARIABLE.sub(lambda found: reading.variables.get(found[1], ""), part)
            for part in self._formats[reading.scope]
        ]
        return delimiter.join([*parts, *reading.name.split(".")])
