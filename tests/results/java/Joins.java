import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.CoGroupFunction;
import org.apache.flink.api.common.functions.JoinFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.streaming.api.windowing.assigners.EventTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.WindowAssigner;
import org.apache.flink.streaming.api.windowing.evictors.CountEvictor;
import org.apache.flink.streaming.api.windowing.triggers.CountTrigger;
import org.apache.flink.streaming.api.windowing.triggers.PurgingTrigger;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Runs joins on a script of records and prints each with the rows of every step.
 *
 * <p>One source gives the script, step by step: {@code L key name time}, {@code R key name time} or {@code W time}. It waits
 * a while before each step, so that the one before has come to the operator under test through whichever input it takes.
 */
public final class Joins {
    private static final OutputTag<String> LEFT_LATE = new OutputTag<>("left-late", Types.STRING) {};
    private static final OutputTag<String> RIGHT_LATE = new OutputTag<>("right-late", Types.STRING) {};

    public static void main(String[] arguments) throws Exception {
        List<String> script = java.nio.file.Files.readAllLines(java.nio.file.Path.of(arguments[0]));
        for (String bounds : new String[] {"-5 5", "0 10", "0 0", "-10 0", "3 8", "-8 -3", "-5 5 exclusive", "-20 20"}) {
            run("interval " + bounds, script, true, (left, right) -> interval(left, right, bounds.split(" ")));
        }
        for (boolean groups : new boolean[] {false, true}) {
            String what = groups ? "co_group " : "join ";
            run(what + "tumbling 10", script, false,
                    (l, r) -> windowed(l, r, groups, TumblingEventTimeWindows.of(ms(10)), 0, null));
            run(what + "sliding 20 10", script, false,
                    (l, r) -> windowed(l, r, groups, SlidingEventTimeWindows.of(ms(20), ms(10)), 0, null));
            run(what + "session 5", script, false,
                    (l, r) -> windowed(l, r, groups, EventTimeSessionWindows.withGap(ms(5)), 0, null));
            run(what + "tumbling 10 lateness 20", script, false,
                    (l, r) -> windowed(l, r, groups, TumblingEventTimeWindows.of(ms(10)), 20, null));
            run(what + "tumbling 10 count 3", script, false,
                    (l, r) -> windowed(l, r, groups, TumblingEventTimeWindows.of(ms(10)), 0, "trigger"));
            run(what + "tumbling 10 evict 2", script, false,
                    (l, r) -> windowed(l, r, groups, TumblingEventTimeWindows.of(ms(10)), 0, "evictor"));
        }
    }

    private static java.time.Duration ms(long ms) {
        return java.time.Duration.ofMillis(ms);
    }

    private interface Program {
        SingleOutputStreamOperator<String> write(DataStream<String> left, DataStream<String> right);
    }

    private static void run(String name, List<String> script, boolean late, Program program) throws Exception {
        Configuration settings = new Configuration();
        settings.setString("pipeline.auto-watermark-interval", "0 ms");
        settings.setString("execution.buffer-timeout.enabled", "true");
        settings.setString("execution.buffer-timeout.interval", "0 ms");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(settings);
        env.setParallelism(1);
        DataStream<String> steps = env.fromData(script)
                .map(Joins::afterAWhile)
                .assignTimestampsAndWatermarks(WatermarkStrategy.<String>forGenerator(c -> new Scripted())
                        .withTimestampAssigner((step, old) -> timeOf(step)));
        DataStream<String> left = steps.filter(step -> step.startsWith("L"));
        DataStream<String> right = steps.filter(step -> step.startsWith("R"));
        SingleOutputStreamOperator<String> joined = program.write(left, right);
        List<String> lines = new ArrayList<>();
        System.out.println("# " + name);
        collect("row", joined);
        if (late) {
            collect("left-late", joined.getSideOutput(LEFT_LATE));
            collect("right-late", joined.getSideOutput(RIGHT_LATE));
        }
        env.execute(name);
    }

    private static void collect(String what, DataStream<String> rows) {
        rows.process(new ProcessFunction<String, String>() {
            @Override
            public void processElement(String row, Context context, Collector<String> out) {
                System.out.println(what + "|" + row + "|" + context.timestamp());
            }
        });
    }

    private static SingleOutputStreamOperator<String> interval(
            DataStream<String> left, DataStream<String> right, String[] bounds) {
        KeyedStream.IntervalJoined<String, String, String> join = left.keyBy(Joins::keyOf)
                .intervalJoin(right.keyBy(Joins::keyOf))
                .between(ms(Long.parseLong(bounds[0])), ms(Long.parseLong(bounds[1])))
                .sideOutputLeftLateData(LEFT_LATE)
                .sideOutputRightLateData(RIGHT_LATE);
        if (bounds.length == 3) {
            join = join.lowerBoundExclusive().upperBoundExclusive();
        }
        return join.process(new ProcessJoinFunction<String, String, String>() {
            @Override
            public void processElement(String left, String right, Context context, Collector<String> out) {
                out.collect(nameOf(left) + "+" + nameOf(right) + "@" + context.getLeftTimestamp() + ","
                        + context.getRightTimestamp() + "," + context.getTimestamp());
            }
        });
    }

    private static SingleOutputStreamOperator<String> windowed(
            DataStream<String> left, DataStream<String> right, boolean groups,
            WindowAssigner<Object, org.apache.flink.streaming.api.windowing.windows.TimeWindow> assigner,
            long lateness, String extra) {
        KeySelector<String, String> key = Joins::keyOf;
        if (groups) {
            var windows = left.coGroup(right).where(key).equalTo(key).window(assigner).allowedLateness(ms(lateness));
            if ("trigger".equals(extra)) {
                windows = windows.trigger(PurgingTrigger.of(CountTrigger.of(3)));
            } else if ("evictor".equals(extra)) {
                windows = windows.evictor(CountEvictor.of(2));
            }
            return (SingleOutputStreamOperator<String>) windows.apply(new CoGroupFunction<String, String, String>() {
                @Override
                public void coGroup(Iterable<String> firsts, Iterable<String> seconds, Collector<String> out) {
                    out.collect(namesOf(firsts) + "/" + namesOf(seconds));
                }
            });
        }
        var windows = left.join(right).where(key).equalTo(key).window(assigner).allowedLateness(ms(lateness));
        if ("trigger".equals(extra)) {
            windows = windows.trigger(PurgingTrigger.of(CountTrigger.of(3)));
        } else if ("evictor".equals(extra)) {
            windows = windows.evictor(CountEvictor.of(2));
        }
        return (SingleOutputStreamOperator<String>) windows.apply(new JoinFunction<String, String, String>() {
            @Override
            public String join(String first, String second) {
                return nameOf(first) + "+" + nameOf(second);
            }
        });
    }

    private static String afterAWhile(String step) throws InterruptedException {
        Thread.sleep(15);
        return step;
    }

    private static String keyOf(String step) {
        return step.split(" ")[1];
    }

    private static String nameOf(String step) {
        return step.split(" ")[2];
    }

    private static String namesOf(Iterable<String> steps) {
        StringBuilder names = new StringBuilder();
        for (String step : steps) {
            names.append(names.length() == 0 ? "" : " ").append(nameOf(step));
        }
        return names.toString();
    }

    private static long timeOf(String step) {
        return Long.parseLong(step.substring(step.lastIndexOf(' ') + 1));
    }

    /** Watermarks where the script has them. */
    private static final class Scripted implements WatermarkGenerator<String> {
        @Override
        public void onEvent(String step, long timestamp, WatermarkOutput output) {
            if (step.startsWith("W")) {
                output.emitWatermark(new Watermark(timestamp));
            }
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {}
    }
}
