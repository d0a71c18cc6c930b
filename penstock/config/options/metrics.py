"""Metrics and who is told about them."""

OPTIONS = """
metrics.reporters
    string = ; honoured
    The names of the reporters to start.
traces.reporters
    string = ; honoured
    The names of the reporters of spans to start.
metrics.scope.delimiter
    string = . ; honoured
    What stands between the parts of a metric's name.
metrics.scope.jm
    string = <host>.jobmanager ; honoured
    The name of a coordinator's metrics.
metrics.scope.tm
    string = <host>.taskmanager.<tm_id> ; honoured
    The name of a worker's metrics.
metrics.scope.jm-job
    string = <host>.jobmanager.<job_name> ; honoured
    formerly metrics.scope.jm.job
    The name of a job's metrics on the coordinator.
metrics.scope.jm-operator
    string = <host>.jobmanager.<job_name>.<operator_name> ; accepted
    The name of an operator's metrics on the coordinator.
metrics.scope.tm-job
    string = <host>.taskmanager.<tm_id>.<job_name> ; accepted
    formerly metrics.scope.tm.job
    The name of a job's metrics on a worker.
metrics.scope.task
    string = <host>.taskmanager.<tm_id>.<job_name>.<task_name>.<subtask_index> ; honoured
    The name of a subtask's metrics.
metrics.scope.operator
    string = <host>.taskmanager.<tm_id>.<job_name>.<operator_name>.<subtask_index> ; honoured
    The name of an operator's metrics.
metrics.latency.interval
    duration = 0 ms ; accepted
    Time between two latency markers of a source; 0 sends none.
metrics.latency.granularity
    enum:single|operator|subtask = operator ; accepted
    How finely latencies are told apart.
metrics.latency.history-size
    int = 128 ; accepted
    How many latencies are kept.
metrics.system-resource
    boolean = false ; honoured
    Whether the machine itself is measured.
metrics.system-resource-probing-interval
    duration = 5 s ; honoured
    Time between two measurements of the machine.
metrics.fetcher.update-interval
    duration = 10 s ; accepted
    Time between two collections of metrics for the web page.
metrics.job.status.enable
    list = [CURRENT_TIME] ; accepted
    Which times in a status are reported.
metrics.internal.query-service.port
    string = 0 ; accepted
    The port on which metrics are collected.
metrics.internal.query-service.thread-priority
    int = 1 ; accepted
    How eagerly metrics are collected.
"""
