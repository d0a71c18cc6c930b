"""The program itself: its name, its parallelism, how its operators are put together."""

OPTIONS = """
parallelism.default
    int = 1 ; honoured
    How many subtasks an operator has unless the program says otherwise.
pipeline.name
    string = ; honoured
    The name of the job.
pipeline.max-parallelism
    int = -1 ; honoured
    How many key groups there are; -1 derives the number from the parallelism.
pipeline.auto-watermark-interval
    duration = 200 ms ; honoured
    Time between two watermarks of a periodic generator; 0 gives none.
pipeline.auto-generate-uids
    boolean = true ; honoured
    Whether operators without a uid get one.
pipeline.object-reuse
    boolean = false ; honoured
    Whether records go to several functions as one object; by default each has its own, where one of them may change it.
pipeline.operator-chaining.enabled
    boolean = true ; honoured
    formerly pipeline.operator-chaining
    Whether operators that follow each other run in one task.
pipeline.operator-chaining.chain-operators-with-different-max-parallelism
    boolean = true ; honoured
    Whether operators of different greatest parallelism may run in one task.
pipeline.global-job-parameters
    map = ; honoured
    Pairs that every function can read.
pipeline.jobvertex-parallelism-overrides
    map = ; accepted
    The parallelism of single vertices, by their ids.
pipeline.cached-files
    list = ; honoured
    Files that are brought to every worker.
pipeline.vertex-description-mode
    string = TREE ; accepted
    How the operators of a vertex are described.
pipeline.vertex-name-include-index-prefix
    boolean = false ; accepted
    Whether the names of vertices carry numbers.
pipeline.watermark-alignment.allow-unaligned-source-splits
    boolean = false ; honoured
    Whether splits that cannot be held back may run ahead.
pipeline.watermark-alignment.buffer-size
    int = 3 ; accepted
    How many watermarks of a source are remembered for alignment.
pipeline.jars
    list = ; accepted
    Java archives; a program that names its connectors so finds the same connectors here.
pipeline.classpaths
    list = ; accepted
    Places of Java classes.
pipeline.closure-cleaner-level
    string = RECURSIVE ; accepted
    How thoroughly Java closures are cleaned.
pipeline.force-avro
    boolean = false ; accepted
    Whether Java objects are written as Avro.
pipeline.force-kryo
    boolean = false ; accepted
    Whether Java objects are written with Kryo.
pipeline.force-kryo-avro
    boolean = ; accepted
    Whether Kryo is told about Avro.
pipeline.generic-types
    boolean = true ; accepted
    Whether types that only Kryo can write are allowed.
pipeline.serialization-config
    list = ; accepted
    How Java classes are written.
"""
