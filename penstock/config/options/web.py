"""The REST interface and the web page."""

OPTIONS = """
rest.address
    string = ; honoured
    The name under which the REST interface is reached.
rest.port
    int = 8081 ; honoured
    formerly web.port
    The port of the REST interface for clients.
rest.bind-address
    string = ; honoured
    formerly jobmanager.web.address
    The address that the REST interface listens on.
rest.bind-port
    string = 8081 ; honoured
    formerly web.port jobmanager.web.port
    The port or range of ports that the REST interface listens on.
rest.token
    string = ; honoured
    What clients of the REST interface have to know, where it is set.
rest.allow-plain-http
    boolean = false ; honoured
    Whether the REST interface may listen beyond the loopback interface without TLS.
rest.path
    string = ; accepted
    What stands in front of every path for clients.
rest.url-prefix
    string = / ; accepted
    What stands in front of every path on the server.
rest.retry.max-attempts
    int = 20 ; honoured
    How often a client asks again that waits for its job; commands do where it is set.
rest.retry.delay
    duration = 3 s ; honoured
    Time before a client asks again.
rest.connection-timeout
    duration = 15 s ; honoured
    How long a client waits for a connection.
rest.idleness-timeout
    duration = 5 min ; accepted
    After this time an unused connection is closed.
rest.await-leader-timeout
    duration = 30 s ; accepted
    How long a client waits for a leading coordinator.
rest.server.max-content-length
    int = 104857600 ; honoured
    The longest request, in bytes.
rest.client.max-content-length
    int = 104857600 ; accepted
    The longest answer, in bytes.
rest.server.numThreads
    int = 4 ; accepted
    How many threads answer requests.
rest.server.thread-priority
    int = 5 ; accepted
    How eagerly requests are answered.
rest.async.store-duration
    duration = 5 min ; honoured
    How long the result of a savepoint request is kept.
rest.cache.checkpoint-statistics.timeout
    duration = 3 s ; accepted
    How long figures of checkpoints are kept.
rest.cache.checkpoint-statistics.size
    int = 1000 ; accepted
    How many figures of checkpoints are kept.
rest.cache.execution-graph.timeout
    duration = ; accepted
    How long the state of a job is kept.
rest.flamegraph.enabled
    boolean = false ; accepted
    Whether the web page shows where tasks spend their time.
rest.flamegraph.num-samples
    int = 100 ; accepted
    From how many looks such a picture is made.
rest.flamegraph.delay-between-samples
    duration = 50 ms ; accepted
    Time between two looks.
rest.flamegraph.stack-depth
    int = 100 ; accepted
    How deep a look goes.
rest.flamegraph.refresh-interval
    duration = 1 min ; accepted
    After this time the picture is made anew.
rest.flamegraph.cleanup-interval
    duration = 10 min ; accepted
    After this time an unseen picture is thrown away.
rest.profiling.enabled
    boolean = false ; accepted
    Whether processes can be profiled from the web page.
rest.profiling.history-size
    int = 10 ; accepted
    How many profiles are kept.
rest.profiling.duration-max
    duration = 5 min ; accepted
    The longest profile.
rest.profiling.dir
    string = /tmp ; accepted
    Where profiles lie.
web.access-control-allow-origin
    string = ; honoured
    formerly jobmanager.web.access-control-allow-origin
    Which other pages may read from the REST interface, such as *; none where it is not set.
historyserver.archive.fs.dir
    string = ; honoured
    Directories of archives, with commas in between.
historyserver.archive.fs.refresh-interval
    duration = 10 s ; honoured
    Time between two looks for new archives.
historyserver.archive.retained-jobs
    int = -1 ; honoured
    How many jobs are kept; older archives are deleted. -1 keeps all.
historyserver.web.address
    string = ; honoured
    The address that the history server listens on.
historyserver.web.port
    int = 8082 ; honoured
    The port of the history server.
web.refresh-interval
    duration = 3 s ; honoured
    formerly jobmanager.web.refresh-interval
    Time between two updates of the web page.
web.tmpdir
    string = /tmp ; accepted
    formerly jobmanager.web.tmpdir
    A directory for the web page's temporary files.
web.upload.dir
    string = ; honoured
    formerly jobmanager.web.upload.dir
    The directory of uploaded programs.
web.history
    int = 5 ; accepted
    formerly jobmanager.web.history
    How many ended jobs the web page shows.
web.checkpoints.history
    int = 10 ; honoured
    formerly jobmanager.web.checkpoints.history
    How many checkpoints the web page shows.
web.exception-history-size
    int = 16 ; honoured
    How many failures the web page shows.
web.log.path
    string = ; honoured
    formerly jobmanager.web.log.path
    The log file that the web page shows.
web.submit.enable
    boolean = true ; honoured
    formerly jobmanager.web.submit.enable
    Whether programs can be uploaded and run by the REST interface.
web.cancel.enable
    boolean = true ; honoured
    Whether jobs can be cancelled by the REST interface.
web.rescale.enable
    boolean = true ; honoured
    Whether jobs can be rescaled by the REST interface.
web.timeout
    duration = 10 min ; accepted
    How long the web page waits for the coordinator.
web.adaptive-scheduler.rescale-history.size
    int = 0 ; honoured
    How many changes of a job's parallelism are listed.
"""
