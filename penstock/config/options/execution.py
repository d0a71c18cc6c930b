"""How a program runs: streaming or batch, where, with which buffers."""

OPTIONS = """
execution.runtime-mode
    enum:STREAMING|BATCH|AUTOMATIC = STREAMING ; honoured
    Whether to run as a stream, as a batch, or as a batch whenever all sources end.
hidden.execution.mode
    enum:PIPELINED|PIPELINED_FORCED|BATCH|BATCH_FORCED = PIPELINED ; accepted
    How batch programs handed data over up to Flink 1.20.
execution.batch-shuffle-mode
    string = ALL_EXCHANGES_BLOCKING ; accepted
    How batch stages hand their results over.
execution.buffer-timeout.enabled
    boolean = true ; honoured
    Whether a part-filled batch of records is sent on after a while.
execution.buffer-timeout.interval
    duration = 100 ms ; honoured
    formerly execution.buffer-timeout
    How long a record waits at most for its batch to fill; 0 sends each record at once.
execution.sort-partition.memory
    memory = 128 mb ; accepted
    Memory for sorting a partition as a whole.
execution.sort-keyed-partition.memory
    memory = 128 mb ; accepted
    Memory for sorting a keyed partition as a whole.
execution.sorted-inputs.enabled
    boolean = true ; accepted
    Whether keyed inputs are sorted in batch mode.
execution.sorted-inputs.memory
    memory = 128 mb ; accepted
    Memory for sorting keyed inputs in batch mode.
execution.batch-state-backend.enabled
    boolean = true ; accepted
    Whether batch mode uses a state backend that holds one key at a time.
execution.async-state.total-buffer-size
    int = 6000 ; accepted
    How many state requests may wait in all.
execution.async-state.active-buffer-size
    int = 1000 ; accepted
    How many state requests form a batch.
execution.async-state.active-buffer-timeout
    long = 1000 ; accepted
    How long a batch of state requests waits to fill, in milliseconds.
execution.target
    string = ; honoured
    Where the program runs: local, remote, or a kind of cluster.
execution.attached
    boolean = false ; accepted
    Whether the client waits for the job to end.
execution.shutdown-on-attached-exit
    boolean = false ; honoured
    Whether jobs on a cluster are cancelled when the command that waits for them is interrupted, or dies.
client.heartbeat.interval
    long = 30000 ; honoured
    Time between two signs of life of such a command, in milliseconds.
client.heartbeat.timeout
    long = 180000 ; honoured
    After this time without a sign of life of such a command its jobs are cancelled, in milliseconds.
execution.job-listeners
    list = ; accepted
    Classes that are told about submitted jobs.
execution.job-status-changed-listeners
    list = ; accepted
    Classes that are told about changes of a job's status.
execution.shutdown-on-application-finish
    boolean = true ; accepted
    Whether the cluster of an application goes down with it.
execution.submit-failed-job-on-application-error
    boolean = false ; accepted
    Whether an application that fails before it has a job leaves a failed job behind.
execution.program-config.wildcards
    list = [] ; accepted
    Keys that a program may set although the cluster forbids it.
execution.program-config.enabled
    boolean = true ; accepted
    formerly execution.allow-client-job-configurations
    Whether a program may change the configuration.
execution.terminate-application-on-any-job-terminated-exceptionally
    boolean = true ; accepted
    Whether an application ends with the first of its jobs that fails.
execution.batch.adaptive.auto-parallelism.enabled
    boolean = true ; accepted
    Whether batch stages choose their parallelism from the volume of data.
execution.batch.adaptive.auto-parallelism.min-parallelism
    int = 1 ; accepted
    formerly jobmanager.adaptive-batch-scheduler.min-parallelism
    The least parallelism that a batch stage chooses.
execution.batch.adaptive.auto-parallelism.max-parallelism
    int = 128 ; accepted
    formerly jobmanager.adaptive-batch-scheduler.max-parallelism
    The greatest parallelism that a batch stage chooses.
execution.batch.adaptive.auto-parallelism.avg-data-volume-per-task
    memory = 16 mb ; accepted
    formerly jobmanager.adaptive-batch-scheduler.avg-data-volume-per-task
    How much data a subtask of a batch stage should get.
execution.batch.adaptive.auto-parallelism.default-source-parallelism
    int = ; accepted
    formerly jobmanager.adaptive-batch-scheduler.default-source-parallelism
    The parallelism of sources whose volume is unknown.
execution.batch.speculative.enabled
    boolean = false ; accepted
    formerly jobmanager.adaptive-batch-scheduler.speculative.enabled
    Whether slow subtasks are started a second time elsewhere.
execution.batch.speculative.max-concurrent-executions
    int = 2 ; accepted
    formerly jobmanager.adaptive-batch-scheduler.speculative.max-concurrent-executions
    How many attempts of a slow subtask run at a time.
execution.batch.speculative.block-slow-node-duration
    duration = 1 min ; accepted
    formerly jobmanager.adaptive-batch-scheduler.speculative.block-slow-node-duration
    How long a slow machine gets no more subtasks.
execution.batch.job-recovery.enabled
    boolean = false ; accepted
    Whether a batch job goes on from finished stages after the coordinator was lost.
execution.batch.job-recovery.previous-worker.recovery.timeout
    duration = 30 s ; accepted
    How long to wait for the workers of before.
execution.batch.job-recovery.snapshot.min-pause
    duration = 3 min ; accepted
    The least time between two notes of a batch job's progress.
source.reader.close.timeout
    long = 30000 ; accepted
    How long a source reader may take to close, in milliseconds.
source.reader.element.queue.capacity
    int = 2 ; accepted
    How many fetched batches a source reader holds.
sink.committer.retries
    int = 10 ; accepted
    How often a failed commit of a sink is tried again.
"""
