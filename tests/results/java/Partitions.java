import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.MapPartitionFunction;
import org.apache.flink.api.common.functions.ReduceFunction;
import org.apache.flink.api.common.operators.Order;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.PartitionWindowedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.CloseableIterator;
import org.apache.flink.util.Collector;

/** Runs every operation of full-window partitions, with keys and without, and prints the rows of each. */
public final class Partitions {
    private static final TypeInformation<Tuple2<String, Integer>> PAIR = Types.TUPLE(Types.STRING, Types.INT);
    private static final String[] WORDS = {"b", "a", "c", "a", "b", "a", "d", "c", "b", "a"};
    private static final int[] NUMBERS = {5, 3, 9, 1, 5, 2, 7, 4, 1, 8};

    public static void main(String[] arguments) throws Exception {
        for (int parallelism : new int[] {1, 2}) {
            for (boolean keyed : new boolean[] {true, false}) {
                for (String what : new String[] {"map", "sort 1 up", "sort 1 down", "sort key down", "reduce", "aggregate"}) {
                    List<String> rows = run(parallelism, keyed, what);
                    if (parallelism > 1) {
                        Collections.sort(rows);
                    }
                    System.out.println("# " + (keyed ? "keyed " : "unkeyed ") + what + " parallelism " + parallelism);
                    rows.forEach(System.out::println);
                }
            }
        }
    }

    private static List<String> run(int parallelism, boolean keyed, String what) throws Exception {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setParallelism(parallelism);
        List<Tuple2<String, Integer>> pairs = new ArrayList<>();
        for (int i = 0; i < WORDS.length; i++) {
            pairs.add(Tuple2.of(WORDS[i], NUMBERS[i]));
        }
        // Round robin, so that the subtasks of unkeyed partitions have every second pair.
        DataStream<Tuple2<String, Integer>> input = env.fromData(pairs, PAIR).rebalance().map(pair -> pair).returns(PAIR);
        PartitionWindowedStream<Tuple2<String, Integer>> partitions =
                keyed
                        ? input.keyBy((KeySelector<Tuple2<String, Integer>, String>) pair -> pair.f0, Types.STRING)
                                .fullWindowPartition()
                        : input.fullWindowPartition();
        DataStream<?> results = apply(partitions, what);
        List<String> rows = new ArrayList<>();
        try (CloseableIterator<?> iterator = results.executeAndCollect()) {
            iterator.forEachRemaining(row -> rows.add(row.toString()));
        }
        return rows;
    }

    private static DataStream<?> apply(PartitionWindowedStream<Tuple2<String, Integer>> partitions, String what) {
        switch (what) {
            case "map":
                return partitions.mapPartition(new Joined()).returns(Types.STRING);
            case "sort 1 up":
                return partitions.sortPartition(1, Order.ASCENDING);
            case "sort 1 down":
                return partitions.sortPartition("f1", Order.DESCENDING);
            case "sort key down":
                return partitions.sortPartition(new Parity(), Order.DESCENDING);
            case "reduce":
                return partitions.reduce(
                        (ReduceFunction<Tuple2<String, Integer>>) (a, b) -> Tuple2.of(a.f0 + b.f0, a.f1 + b.f1));
            default:
                return partitions.aggregate(new Mean());
        }
    }

    /** All pairs of a partition, as one text. */
    private static final class Joined implements MapPartitionFunction<Tuple2<String, Integer>, String> {
        @Override
        public void mapPartition(Iterable<Tuple2<String, Integer>> values, Collector<String> out) {
            StringBuilder text = new StringBuilder();
            values.forEach(pair -> text.append(pair.f0).append(pair.f1).append(' '));
            out.collect(text.toString().trim());
        }
    }

    /** Few keys, so that it shows in which order equal ones stay. */
    private static final class Parity implements KeySelector<Tuple2<String, Integer>, Integer> {
        @Override
        public Integer getKey(Tuple2<String, Integer> pair) {
            return pair.f1 % 2;
        }
    }

    /** Sum and count. */
    private static final class Mean implements AggregateFunction<Tuple2<String, Integer>, Tuple2<Integer, Integer>, String> {
        @Override
        public Tuple2<Integer, Integer> createAccumulator() {
            return Tuple2.of(0, 0);
        }

        @Override
        public Tuple2<Integer, Integer> add(Tuple2<String, Integer> pair, Tuple2<Integer, Integer> sum) {
            // In place: without keys Flink 2.3 goes on with the accumulator that it gave, not with the one that it gets back.
            sum.f0 += pair.f1;
            sum.f1 += 1;
            return sum;
        }

        @Override
        public String getResult(Tuple2<Integer, Integer> sum) {
            return sum.f0 + "/" + sum.f1;
        }

        @Override
        public Tuple2<Integer, Integer> merge(Tuple2<Integer, Integer> a, Tuple2<Integer, Integer> b) {
            return Tuple2.of(a.f0 + b.f0, a.f1 + b.f1);
        }
    }
}
