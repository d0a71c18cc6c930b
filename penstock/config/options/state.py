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
