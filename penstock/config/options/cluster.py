"""Coordinator, workers, the network between them."""

OPTIONS = """
taskmanager.numberOfTaskSlots
    int = 1 ; honoured
    How many slots a worker offers.
taskmanager.host
    string = ; honoured
    The name under which a worker is reached.
taskmanager.bind-host
    string = ; honoured
    The address that a worker listens on.
taskmanager.rpc.port
    string = 0 ; accepted
    The port of a worker's control connection.
taskmanager.rpc.bind-port
    int = ; accepted
    The port that a worker's control connection listens on.
taskmanager.data.port
    int = 0 ; accepted
    The port of a worker's channels.
taskmanager.data.bind-port
    string = ; accepted
    The port that a worker's channels listen on.
taskmanager.data.ssl.enabled
    boolean = true ; accepted
    Whether channels are encrypted where encryption is on.
taskmanager.resource-id
    string = ; honoured
    The id of a TaskManager.
taskmanager.registration.timeout
    duration = 5 min ; accepted
    formerly taskmanager.maxRegistrationDuration
    How long a worker tries to find its coordinator.
taskmanager.slot.timeout
    duration = 10 s ; accepted
    How long a slot stays reserved for a job that does not use it.
taskmanager.cpu.cores
    double = ; accepted
    How many cores a worker is worth.
taskmanager.memory.process.size
    memory = ; accepted
    The memory of a worker as a whole.
taskmanager.memory.flink.size
    memory = ; accepted
    The memory of a worker without the Java machine's own.
taskmanager.memory.task.heap.size
    memory = ; accepted
    The memory of a worker's functions.
taskmanager.memory.task.off-heap.size
    memory = 0 bytes ; accepted
    The memory of a worker's functions outside of the heap.
taskmanager.memory.framework.heap.size
    memory = 128 mb ; accepted
    The memory of a worker's engine.
taskmanager.memory.framework.off-heap.size
    memory = 128 mb ; accepted
    The memory of a worker's engine outside of the heap.
taskmanager.memory.managed.size
    memory = ; accepted
    formerly taskmanager.memory.size
    The memory of a worker for sorting and state.
taskmanager.memory.managed.fraction
    float = 0.4 ; accepted
    The share of memory for sorting and state.
taskmanager.memory.managed.consumer-weights
    map = OPERATOR:70,STATE_BACKEND:70,PYTHON:30 ; accepted
    How memory for sorting and state is shared.
taskmanager.memory.network.min
    memory = 64 mb ; accepted
    formerly taskmanager.network.memory.min
    The least memory for channels.
taskmanager.memory.network.max
    memory = 9223372036854775807 bytes ; accepted
    formerly taskmanager.network.memory.max
    The greatest memory for channels.
taskmanager.memory.network.fraction
    float = 0.1 ; accepted
    formerly taskmanager.network.memory.fraction
    The share of memory for channels.
taskmanager.memory.segment-size
    memory = 32 kb ; accepted
    The size of a network buffer.
taskmanager.memory.jvm-metaspace.size
    memory = 256 mb ; accepted
    The memory of Java classes.
taskmanager.memory.jvm-overhead.min
    memory = 192 mb ; accepted
    The least memory of the Java machine itself.
taskmanager.memory.jvm-overhead.max
    memory = 1 gb ; accepted
    The greatest memory of the Java machine itself.
taskmanager.memory.jvm-overhead.fraction
    float = 0.1 ; accepted
    The share of memory of the Java machine itself.
taskmanager.network.memory.buffer-debloat.enabled
    boolean = false ; accepted
    Whether buffers shrink while a task is slow.
taskmanager.network.memory.buffer-debloat.target
    duration = 1 s ; accepted
    How much time the records in flight should take.
taskmanager.network.memory.buffer-debloat.period
    duration = 200 ms ; accepted
    Time between two adjustments of buffers.
taskmanager.network.memory.buffer-debloat.samples
    int = 20 ; accepted
    How many measurements an adjustment is made from.
taskmanager.network.memory.buffer-debloat.threshold-percentages
    int = 25 ; accepted
    The least adjustment of buffers.
taskmanager.network.compression.codec
    string = LZ4 ; accepted
    How spilled results are compressed.
taskmanager.network.retries
    int = 0 ; accepted
    formerly taskmanager.network.retries
    How often a lost connection is made again.
taskmanager.network.detailed-metrics
    boolean = false ; accepted
    Whether every channel is measured.
taskmanager.load-balance.mode
    string = NONE ; accepted
    How tasks are spread over workers.
taskmanager.system-out.mode
    string = DEFAULT ; accepted
    Where a worker's printed lines go.
taskmanager.log.path
    string = ; honoured
    The log file of a worker.
task.cancellation.interval
    duration = 30 s ; honoured
    formerly task.cancellation-interval
    Time between two attempts to stop a task.
task.cancellation.timeout
    duration = 3 min ; honoured
    A task that does not stop within this time takes its worker down; 0 waits for ever.
task.cancellation.timers.timeout
    duration = 7500 ms ; accepted
    formerly timerservice.exceptional.shutdown.timeout
    How long timers may run on while a task stops.
minicluster.number-of-taskmanagers
    int = 1 ; accepted
    formerly local.number-taskmanager
    How many workers a cluster inside of the program has.
jobmanager.rpc.address
    string = ; honoured
    The name under which the coordinator is reached.
jobmanager.rpc.port
    int = 6123 ; honoured
    The port of the coordinator.
jobmanager.bind-host
    string = ; honoured
    The address that the coordinator listens on.
jobmanager.rpc.bind-port
    int = ; accepted
    The port that the coordinator listens on.
jobmanager.memory.process.size
    memory = ; accepted
    The memory of the coordinator as a whole.
jobmanager.memory.flink.size
    memory = ; accepted
    The memory of the coordinator without the Java machine's own.
jobmanager.memory.heap.size
    memory = ; accepted
    The memory of the coordinator's objects.
jobmanager.memory.off-heap.size
    memory = 128 mb ; accepted
    The memory of the coordinator outside of the heap.
jobmanager.archive.fs.dir
    string = ; honoured
    Where ended jobs are noted for the history server.
jobmanager.resource-id
    string = ; accepted
    The name of the coordinator.
jobmanager.scheduler
    string = Default ; accepted
    How slots and parallelism of a job are chosen.
scheduler-mode
    string = ; honoured
    With reactive the parallelism of jobs follows the slots that there are.
jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling
    duration = 30 s ; honoured
    formerly jobmanager.adaptive-scheduler.scaling-interval.min
    So long after a change a job gets no more slots.
jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout
    duration = 0 s ; honoured
    So long more slots have to have been there before they are used.
jobmanager.adaptive-scheduler.rescale-trigger.max-delay
    duration = ; honoured
    So long a job that has no checkpoint yet is given for one before it begins again on other slots.
jobmanager.adaptive-scheduler.rescale-trigger.max-checkpoint-failures
    long = 2 ; honoured
    Where no max-delay is set, such a job is given the time of so many checkpoints and of one more.
slot.request.timeout
    duration = 5 min ; honoured
    How long a job waits for a slot.
slot.idle.timeout
    duration = 50 s ; accepted
    After this time an unused slot is given back.
jobstore.cache-size
    long = 52428800 ; accepted
    The memory for ended jobs, in bytes.
jobstore.expiration-time
    long = 3600 ; accepted
    How long ended jobs are remembered, in seconds.
jobstore.max-capacity
    int = 2147483647 ; accepted
    How many ended jobs are remembered.
jobstore.type
    string = File ; accepted
    Where ended jobs are remembered.
heartbeat.interval
    duration = 10 s ; honoured
    Time between two signs of life.
heartbeat.timeout
    duration = 50 s ; honoured
    After this time without a sign of life a worker counts as lost.
heartbeat.rpc-failure-threshold
    int = 2 ; accepted
    After so many failed calls a worker counts as lost.
cluster.id
    string = 00000000000000000000000000000000 ; accepted
    The name of the cluster.
cluster.io-pool.size
    int = ; accepted
    How many threads write and read files.
process.working-dir
    string = ; accepted
    The directory of a process's own files.
io.tmp.dirs
    string = /tmp ; honoured
    formerly taskmanager.tmp.dirs
    Directories for temporary files.
fs.default-scheme
    string = ; refused
    The file system of paths without one.
fs.overwrite-files
    boolean = false ; refused
    Whether file sinks replace files that exist.
fs.output.always-create-directory
    boolean = false ; refused
    Whether file sinks make a directory even for one file.
high-availability.type
    string = NONE ; accepted
    formerly recovery.mode high-availability
    Who keeps track of the leading coordinator.
high-availability.storageDir
    string = ; honoured
    formerly high-availability.zookeeper.storageDir recovery.zookeeper.storageDir
    Where the coordinator notes its jobs.
high-availability.cluster-id
    string = /default ; honoured
    formerly high-availability.zookeeper.path.namespace recovery.zookeeper.path.namespace
    The name of the cluster in that place.
job-result-store.storage-path
    string = ; honoured
    Where a coordinator notes that a job has ended whose entry in the storage of jobs cannot be removed.
"""
