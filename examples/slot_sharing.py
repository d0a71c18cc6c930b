"""Slot sharing groups: on a cluster, operators with much to do get slots of their own.

Run it with ``python -m penstock info examples/slot_sharing.py``, which runs nothing. It prints::

    ---------------- Execution Plan: slot sharing ----------------
    1: Source: Collection Source (parallelism 1)
    2: parse (parallelism 1) <- 1 FORWARD
    3: train (parallelism 2, slot sharing group heavy) <- 2 REBALANCE
    4: Sink: Print to Std. Out (parallelism 1) <- 3 REBALANCE
    --------------------------------------------------------------
"""

from penstock.datastream import SlotSharingGroup, StreamExecutionEnvironment


def main() -> None:
    """A step is put into a group, and what follows back into the default one, which it would else leave with it.

    Two subtasks in one group and one in the other need three slots of a cluster, and would need two if they shared
    them. Without a cluster the workers are the same with groups and without.
    """
    heavy = SlotSharingGroup.builder("heavy").set_cpu_cores(1.0).set_task_heap_memory_mb(512).build()
    env = StreamExecutionEnvironment.get_execution_environment()
    numbers = env.from_collection(["1", "2", "3"]).map(int).name("parse")
    trained = numbers.map(lambda number: number**2).name("train").set_parallelism(2).slot_sharing_group(heavy)
    trained.print().slot_sharing_group("default")
    env.execute("slot sharing")


if __name__ == "__main__":
    main()
