"""Python functions, their files and processes."""

OPTIONS = """
python.files
    string = ; honoured
    Files and directories that workers put on their import path.
python.pythonpath
    string = ; honoured
    Directories that workers put on their import path.
python.archives
    string = ; honoured
    Archives that are unpacked in the working directory of workers.
python.requirements
    string = ; honoured
    A file of packages that workers need, which a cluster installs for the job.
python.executable
    string = python ; accepted
    The interpreter of Python workers; here they run in the interpreter of the cluster.
python.client.executable
    string = python ; accepted
    The interpreter that compiles functions on the client.
python.execution-mode
    string = process ; accepted
    Whether Python functions run in a process or a thread beside Java; here there is no Java.
python.fn-execution.bundle.size
    int = 1000 ; accepted
    How many records go to Python functions at a time.
python.fn-execution.bundle.time
    long = 1000 ; accepted
    How long records wait for the next ones to go with them, in milliseconds.
python.fn-execution.arrow.batch.size
    int = 1000 ; accepted
    How many rows a vectorised function gets at a time.
python.fn-execution.memory.managed
    boolean = true ; accepted
    Whether the memory of Python workers has a common bound.
python.operator-chaining.enabled
    boolean = true ; accepted
    Whether Python functions that follow each other run together.
python.metric.enabled
    boolean = true ; accepted
    Whether functions may have metrics of their own.
python.profile.enabled
    boolean = false ; accepted
    Whether Python workers are profiled.
python.systemenv.enabled
    boolean = true ; accepted
    Whether Python workers see the environment variables of the machine.
python.state.cache-size
    int = 1000 ; accepted
    How many states a Python worker keeps at hand.
python.map-state.read-cache-size
    int = 1000 ; accepted
    How many read entries of a map state a Python worker keeps at hand.
python.map-state.write-cache-size
    int = 1000 ; accepted
    How many written entries of a map state a Python worker keeps at hand.
python.map-state.iterate-response-batch-size
    int = 1000 ; accepted
    How many entries of a map state come at a time.
python.logging.default.level
    string = INFO ; accepted
    The log level of Python workers.
python.logging.level.overrides
    map = ; accepted
    The log levels of single loggers.
python.job-options
    map = ; accepted
    Pairs for the Python workers of a job.
"""
