"""How fast Penstock is, as ratios: each workload beside a plain Python loop that does the same by hand, in the same run.

``python -m benchmarks`` prints the table. Absolute rates depend on the machine and on who else uses it; ratios of runs that
alternate do much less. Where ``BENCH_BYTEWAX_PYTHON`` or ``BENCH_PYFLINK_PYTHON`` name an interpreter that has them,
Bytewax and PyFlink run the same workloads in turn with the others. Where ``BENCH_KAFKA`` names a broker's ``host:port``, the
benchmarks of Kafka are in the table, too. PyFlink has them with Flink's own connector, which Maven fetches into the cache
of the tests, and with confluent-kafka beside it, which makes the topics.
"""
