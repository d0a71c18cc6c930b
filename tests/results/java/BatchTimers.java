import java.util.List;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.TimeDomain;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.CloseableIterator;
import org.apache.flink.util.Collector;

/** In batch mode: timers that are set, and deleted, by the timers that fire at the end of a key. */
public final class BatchTimers {

    /** Each record sets a timer of both kinds at its value and at 50 more; each timer sets and deletes others. */
    static final class Repeating extends KeyedProcessFunction<String, Tuple2<String, Integer>, String> {
        @Override
        public void processElement(Tuple2<String, Integer> value, Context ctx, Collector<String> out) {
            for (long time : new long[] {value.f1, value.f1 + 50}) {
                ctx.timerService().registerEventTimeTimer(time);
                ctx.timerService().registerProcessingTimeTimer(time);
            }
            out.collect(value.f0 + " record " + value.f1 + " " + ctx.timerService().currentWatermark());
        }

        @Override
        public void onTimer(long time, OnTimerContext ctx, Collector<String> out) {
            ctx.timerService().registerEventTimeTimer(time + 1000);
            ctx.timerService().registerProcessingTimeTimer(time + 1000);
            ctx.timerService().deleteProcessingTimeTimer(60);
            String domain = ctx.timeDomain() == TimeDomain.EVENT_TIME ? "event" : "processing";
            out.collect(ctx.getCurrentKey() + " " + domain + " " + time + " " + ctx.timerService().currentWatermark());
        }
    }

    public static void main(String[] args) throws Exception {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setRuntimeMode(RuntimeExecutionMode.BATCH);
        env.setParallelism(1);
        DataStream<String> rows =
                env.fromData(List.of(Tuple2.of("a", 10), Tuple2.of("b", 20), Tuple2.of("a", 30)), Types.TUPLE(Types.STRING, Types.INT))
                        .assignTimestampsAndWatermarks(
                                WatermarkStrategy.<Tuple2<String, Integer>>forMonotonousTimestamps()
                                        .withTimestampAssigner((value, time) -> value.f1))
                        .keyBy(value -> value.f0)
                        .process(new Repeating());
        try (CloseableIterator<String> results = rows.executeAndCollect()) {
            results.forEachRemaining(System.out::println);
        }
    }
}
