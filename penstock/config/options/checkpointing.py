"""When and where checkpoints are taken, and what is kept of them."""

OPTIONS = """
execution.checkpointing.interval
    duration = ; honoured
    Time between the starts of two checkpoints; without it there are none.
execution.checkpointing.interval-during-backlog
    duration = ; accepted
    Time between checkpoints while a source works off its backlog.
execution.checkpointing.mode
    enum:EXACTLY_ONCE|AT_LEAST_ONCE = EXACTLY_ONCE ; honoured
    Whether a record counts exactly once or at least once after a failure.
execution.checkpointing.timeout
    duration = 10 min ; honoured
    A checkpoint that takes longer is given up.
execution.checkpointing.min-pause
    duration = 0 ms ; honoured
    The least time between the end of a checkpoint and the start of the next.
execution.checkpointing.max-concurrent-checkpoints
    int = 1 ; honoured
    How many checkpoints may be under way at a time.
execution.checkpointing.tolerable-failed-checkpoints
    int = 0 ; honoured
    How many checkpoints in a row may fail before the job does.
execution.checkpointing.externalized-checkpoint-retention
    enum:NO_EXTERNALIZED_CHECKPOINTS|RETAIN_ON_CANCELLATION|DELETE_ON_CANCELLATION = NO_EXTERNALIZED_CHECKPOINTS ; honoured
    What becomes of the last checkpoint when the job is cancelled.
execution.checkpointing.num-retained
    int = 1 ; honoured
    formerly state.checkpoints.num-retained
    How many completed checkpoints are kept.
execution.checkpointing.storage
    enum:jobmanager|filesystem = ; honoured
    formerly state.checkpoint-storage
    Whether checkpoints lie in the coordinator's memory or in files.
execution.checkpointing.dir
    string = ; honoured
    formerly state.checkpoints.dir state.backend.fs.checkpointdir
    The directory of checkpoints, as a path or URL.
execution.checkpointing.savepoint-dir
    string = ; honoured
    formerly state.savepoints.dir savepoints.state.backend.fs.dir
    The directory of savepoints for which no other was given.
execution.checkpointing.create-subdir
    boolean = true ; honoured
    formerly state.checkpoints.create-subdir
    Whether each job gets a directory of its own among the checkpoints.
execution.checkpointing.data-inline-threshold
    memory = 20 kb ; accepted
    formerly state.storage.fs.memory-threshold state.backend.fs.memory-threshold
    State up to this size stands in the metadata itself.
execution.checkpointing.write-buffer-size
    int = 4096 ; accepted
    formerly state.storage.fs.write-buffer-size state.backend.fs.write-buffer-size
    Bytes that are buffered before checkpoint data is written.
execution.checkpointing.incremental
    boolean = false ; honoured
    formerly state.backend.incremental
    Whether a checkpoint holds only what changed since the last.
execution.checkpointing.unaligned.enabled
    boolean = false ; honoured
    formerly execution.checkpointing.unaligned
    Whether barriers overtake records in flight.
execution.checkpointing.unaligned.forced
    boolean = false ; accepted
    Whether unaligned checkpoints are used even for programs they were not made for.
execution.checkpointing.unaligned.interruptible-timers.enabled
    boolean = false ; accepted
    Whether a barrier may come between two timers.
execution.checkpointing.unaligned.max-subtasks-per-channel-state-file
    int = 5 ; accepted
    How many subtasks share a file of records in flight.
execution.checkpointing.unaligned.recover-output-on-downstream.enabled
    boolean = false ; accepted
    Who reads the records in flight back.
execution.checkpointing.aligned-checkpoint-timeout
    duration = 0 ms ; honoured
    formerly execution.checkpointing.alignment-timeout
    After this time an aligned checkpoint becomes unaligned.
execution.checkpointing.checkpoints-after-tasks-finish
    boolean = true ; honoured
    formerly execution.checkpointing.checkpoints-after-tasks-finish.enabled
    Whether checkpoints go on after some of the tasks have ended.
execution.checkpointing.during-recovery.enabled
    boolean = false ; accepted
    Whether checkpoints are taken while records in flight are read back.
execution.checkpointing.cleaner.parallel-mode
    boolean = true ; accepted
    formerly state.checkpoint.cleaner.parallel-mode
    Whether the files of a checkpoint are deleted in parallel.
execution.checkpointing.local-backup.enabled
    boolean = false ; honoured
    formerly state.backend.local-recovery
    Whether a worker keeps a copy of its own state for a quick restart.
execution.checkpointing.local-backup.dirs
    string = ; honoured
    formerly taskmanager.state.local.root-dirs
    Where the local copies of state lie.
execution.checkpointing.file-merging.enabled
    boolean = false ; accepted
    Whether small checkpoint files are put together.
execution.checkpointing.file-merging.across-checkpoint-boundary
    boolean = false ; accepted
    Whether files of several checkpoints are put together.
execution.checkpointing.file-merging.max-file-size
    memory = 32 mb ; accepted
    The greatest size of a file that others are put into.
execution.checkpointing.file-merging.pool-blocking
    boolean = false ; accepted
    Whether writers wait for a file to become free.
execution.checkpointing.file-merging.max-subtasks-per-file
    int = 4 ; accepted
    How many subtasks share a file.
execution.checkpointing.file-merging.max-space-amplification
    float = 2.0 ; accepted
    How much unused data a shared file may hold.
execution.checkpointing.snapshot-compression
    boolean = false ; accepted
    Whether snapshots of state are compressed; they always are.
pipeline.sources.pause-until-first-checkpoint
    boolean = false ; accepted
    Whether sources wait for the first checkpoint.
execution.state-recovery.path
    string = ; honoured
    formerly execution.savepoint.path
    The savepoint or checkpoint that the job starts from.
execution.state-recovery.ignore-unclaimed-state
    boolean = false ; honoured
    formerly execution.savepoint.ignore-unclaimed-state
    Whether state of operators that are gone may be left behind.
execution.state-recovery.claim-mode
    enum:CLAIM|NO_CLAIM|LEGACY = NO_CLAIM ; honoured
    formerly execution.savepoint-restore-mode
    Who owns the files that the job starts from.
execution.state-recovery.approximate-local-recovery
    boolean = false ; refused
    formerly execution.checkpointing.approximate-local-recovery
    Whether only failed tasks restart, losing records.
execution.state-recovery.without-channel-state.checkpoint-id
    long = -1 ; refused
    formerly execution.checkpointing.recover-without-channel-state.checkpoint-id
    The checkpoint whose records in flight are thrown away.
execution.state-recovery.from-local
    boolean = false ; honoured
    formerly state.backend.local-recovery
    Whether state is read back from a worker's local copy.
"""
