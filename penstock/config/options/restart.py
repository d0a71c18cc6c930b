"""What happens after a failure."""

OPTIONS = """
restart-strategy.type
    enum:none|off|disable|fixed-delay|fixeddelay|failure-rate|failurerate|exponential-delay|exponentialdelay = ; honoured
    formerly restart-strategy
    Whether and how a failed job starts again.
restart-strategy.fixed-delay.attempts
    int = 1 ; honoured
    How often a job starts again.
restart-strategy.fixed-delay.delay
    duration = 1 s ; honoured
    Time before each start.
restart-strategy.failure-rate.max-failures-per-interval
    int = 1 ; honoured
    How many failures an interval may see.
restart-strategy.failure-rate.failure-rate-interval
    duration = 1 min ; honoured
    The interval in which failures are counted.
restart-strategy.failure-rate.delay
    duration = 1 s ; honoured
    Time before each start.
restart-strategy.exponential-delay.initial-backoff
    duration = 1 s ; honoured
    Time before the first start.
restart-strategy.exponential-delay.max-backoff
    duration = 1 min ; honoured
    The longest time before a start.
restart-strategy.exponential-delay.backoff-multiplier
    double = 1.5 ; honoured
    By how much the time grows with each failure.
restart-strategy.exponential-delay.reset-backoff-threshold
    duration = 1 h ; honoured
    After this time without failure the wait is short again.
restart-strategy.exponential-delay.jitter-factor
    double = 0.1 ; honoured
    By which share the time varies at random.
restart-strategy.exponential-delay.attempts-before-reset-backoff
    int = 2147483647 ; honoured
    How often a job starts again before it fails for good.
jobmanager.execution.failover-strategy
    enum:full|region = region ; honoured
    Whether a failure restarts all tasks or those of its region.
jobmanager.execution.attempts-history-size
    int = 16 ; honoured
    formerly job-manager.max-attempts-history-size
    How many past attempts of a subtask are remembered.
jobmanager.failure-enrichers
    string = ; accepted
    Classes that label failures.
cleanup-strategy.type
    string = exponential-delay ; accepted
    formerly cleanup-strategy
    How removing the traces of an ended job is tried again.
cleanup-strategy.fixed-delay.attempts
    int = 2147483647 ; accepted
    How often the removal is tried.
cleanup-strategy.fixed-delay.delay
    duration = 1 min ; accepted
    Time before each try.
cleanup-strategy.exponential-delay.initial-backoff
    duration = 1 s ; accepted
    Time before the first try.
cleanup-strategy.exponential-delay.max-backoff
    duration = 1 h ; accepted
    The longest time before a try.
cleanup-strategy.exponential-delay.attempts
    int = 2147483647 ; accepted
    How often the removal is tried.
"""
