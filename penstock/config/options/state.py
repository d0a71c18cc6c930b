"""Where state lives."""

OPTIONS = """
state.backend.type
    enum:hashmap|rocksdb = hashmap ; honoured
    formerly state.backend
    Where keyed state lives: in dictionaries or in RocksDB.
state.backend.rocksdb.localdir
    string = ; honoured
    The directory of RocksDB's working files.
state.backend.rocksdb.timer-service.factory
    enum:HEAP|ROCKSDB = ROCKSDB ; honoured
    Where timers live with RocksDB: in memory, or in the database.
state.backend.rocksdb.timer-service.cache-size
    int = 128 ; honoured
    How many of the next timers in RocksDB are in memory too, for each key group.
state.backend.rocksdb.checkpoint.transfer.thread.num
    int = 4 ; accepted
    How many files are sent at a time.
state.backend.rocksdb.predefined-options
    string = DEFAULT ; honoured
    Settings of RocksDB for a kind of disk.
state.backend.rocksdb.options-factory
    string = ; accepted
    A class that makes settings of RocksDB.
state.backend.rocksdb.memory.managed
    boolean = true ; honoured
    Whether RocksDB's memory has a common bound.
state.backend.rocksdb.memory.fixed-per-slot
    memory = ; honoured
    RocksDB's memory for each slot.
state.backend.rocksdb.memory.fixed-per-tm
    memory = ; honoured
    RocksDB's memory for each worker.
state.backend.rocksdb.memory.write-buffer-ratio
    double = 0.5 ; honoured
    The share of write buffers in RocksDB's memory.
state.backend.rocksdb.memory.high-prio-pool-ratio
    double = 0.1 ; accepted
    The share of indexes and filters in RocksDB's memory; here always half of the blocks.
state.backend.rocksdb.memory.partitioned-index-filters
    boolean = false ; accepted
    Whether RocksDB's indexes and filters are cut into parts; here always.
state.backend.rocksdb.memory.object-cache
    memory = 128 mb ; honoured
    Memory for state as objects in front of RocksDB, for each operator of each subtask.
state.backend.rocksdb.thread.num
    int = ; honoured
    How many flushes and compactions of a database run at a time.
state.backend.rocksdb.files.open
    int = ; honoured
    How many files a database has open at most; -1 for as many as there are.
state.backend.rocksdb.writebuffer.size
    memory = ; honoured
    How long a write buffer of a database gets.
state.backend.rocksdb.writebuffer.count
    int = ; honoured
    How many write buffers a database has at most.
state.backend.rocksdb.writebuffer.number-to-merge
    int = ; honoured
    How many write buffers go into one file at least.
state.backend.rocksdb.block.blocksize
    memory = ; honoured
    How long a block of entries is, about.
state.backend.rocksdb.block.metadata-blocksize
    memory = ; honoured
    How long a block of an index or a filter is, about.
state.backend.rocksdb.block.cache-size
    memory = ; honoured
    The cache of blocks of each database, where RocksDB's memory has no common bound.
state.backend.rocksdb.use-bloom-filter
    boolean = true ; honoured
    Whether files have filters, which tell that a key is not there.
state.backend.rocksdb.bloom-filter.bits-per-key
    double = 10 ; honoured
    How long those filters are for each key.
state.backend.rocksdb.bloom-filter.block-based-mode
    boolean = false ; accepted
    Whether filters are of blocks; here never, as in RocksDB of today.
state.backend.rocksdb.compaction.style
    enum:LEVEL|UNIVERSAL|FIFO|NONE = LEVEL ; honoured
    How files are put together. FIFO is refused, as it forgets state.
state.backend.rocksdb.compaction.level.use-dynamic-size
    boolean = true ; honoured
    Whether the sizes of levels go by that of the last one.
state.backend.rocksdb.compaction.level.target-file-size-base
    memory = ; honoured
    How long the files of the first level get.
state.backend.rocksdb.compaction.level.max-size-level-base
    memory = ; honoured
    How large the first level gets.
state.backend.rocksdb.compression.per.level
    list = ; honoured
    How files are compressed, by level; further levels as the last that is given.
state.backend.rocksdb.log.level
    string = INFO_LEVEL ; accepted
    How much RocksDB tells in its log.
state.backend.rocksdb.log.dir
    string = ; honoured
    Where RocksDB's logs are; beside the database unless it is set.
state.backend.rocksdb.log.file-num
    int = 1 ; honoured
    How many logs of a database are kept.
state.backend.rocksdb.log.max-file-size
    memory = 1 mb ; honoured
    How long a log of a database gets.
state.backend.rocksdb.write-batch-size
    memory = 2 mb ; accepted
    How much is written at a time; here 20,000 entries.
state.backend.rocksdb.restore-overlap-fraction-threshold
    double = 0.0 ; accepted
    Which old database a new one begins with; here that of which most is wanted.
state.backend.rocksdb.use-ingest-db-restore-mode
    boolean = false ; accepted
    Whether files of several old databases are joined as they are.
state.backend.rocksdb.incremental-restore-async-compact-after-rescale
    boolean = false ; accepted
    Whether a database is compacted once its job has another parallelism.
state.backend.rocksdb.rescaling.use-delete-files-in-range
    boolean = false ; accepted
    Whether files are deleted at once that hold other subtasks' state alone.
state.changelog.enabled
    boolean = false ; accepted
    formerly state.backend.changelog.enabled
    Whether changes of state are written as they happen.
state.changelog.storage
    string = memory ; accepted
    formerly state.backend.changelog.storage
    Where changes of state are written.
state.changelog.periodic-materialize.enabled
    boolean = true ; accepted
    formerly state.backend.changelog.periodic-materialize.enabled
    Whether written changes are folded into snapshots.
state.changelog.periodic-materialize.interval
    duration = 10 min ; accepted
    formerly state.backend.changelog.periodic-materialize.interval
    Time between two foldings of written changes.
state.changelog.max-failures-allowed
    int = 3 ; accepted
    formerly state.backend.changelog.max-failures-allowed
    How often folding written changes may fail in a row.
state.latency-track.keyed-state-enabled
    boolean = false ; accepted
    formerly state.backend.latency-track.keyed-state-enabled
    Whether the time of state access is measured.
state.latency-track.sample-interval
    int = 100 ; accepted
    formerly state.backend.latency-track.sample-interval
    Every which access to state is measured.
state.latency-track.history-size
    int = 128 ; accepted
    formerly state.backend.latency-track.history-size
    How many measured times are kept.
state.latency-track.state-name-as-variable
    boolean = true ; accepted
    formerly state.backend.latency-track.state-name-as-variable
    Whether measured times name the state.
state.size-track.keyed-state-enabled
    boolean = false ; accepted
    Whether the size of state is measured.
state.size-track.sample-interval
    int = 100 ; accepted
    Every which access measures the size of state.
state.size-track.history-size
    int = 128 ; accepted
    How many measured sizes are kept.
state.size-track.state-name-as-variable
    boolean = true ; accepted
    Whether measured sizes name the state.
"""
