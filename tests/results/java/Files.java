import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.BucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.DateTimeBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.SimpleVersionedStringSerializer;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.DefaultRollingPolicy;
import org.apache.flink.streaming.api.functions.source.FileProcessingMode;
import org.apache.flink.streaming.api.legacy.io.TextInputFormat;
import org.apache.flink.util.CloseableIterator;

/** Reads and writes files with Flink, and prints which were read and what those written are called. */
public final class Files {
    private static final String RANDOM = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        nested(folder.resolve("nested"));
        changed(folder.resolve("changed"));
        written(folder.resolve("one"), 1, BucketAssignerKind.DEFAULT, OutputFileConfig.builder().build(), 1L << 20);
        written(folder.resolve("base"), 1, BucketAssignerKind.BASE, OutputFileConfig.builder().build(), 1L << 20);
        OutputFileConfig named = OutputFileConfig.builder().withPartPrefix("words").withPartSuffix(".txt").build();
        written(folder.resolve("named"), 1, BucketAssignerKind.PARITY, named, 1L << 20);
        written(folder.resolve("rolled"), 1, BucketAssignerKind.PARITY, OutputFileConfig.builder().build(), 4);
        written(folder.resolve("two"), 2, BucketAssignerKind.PARITY, OutputFileConfig.builder().build(), 1L << 20);
    }

    private enum BucketAssignerKind {
        DEFAULT, BASE, PARITY
    }

    private static void nested(Path folder) throws Exception {
        for (String name : new String[] {"a.txt", "deep/b.txt", "_under.txt", ".dot.txt", "_folder/c.txt", ".folder/d.txt"}) {
            write(folder.resolve(name), name);
        }
        for (boolean enumerates : new boolean[] {false, true}) {
            TextInputFormat format = new TextInputFormat(new org.apache.flink.core.fs.Path(folder.toUri()));
            format.setNestedFileEnumeration(enumerates);
            StreamExecutionEnvironment env = environment(1);
            System.out.println("# readFile, nested " + enumerates);
            print(env.readFile(format, folder.toString()).executeAndCollect());
        }
        StreamExecutionEnvironment env = environment(1);
        System.out.println("# FileSource");
        FileSource<String> source = FileSource.forRecordStreamFormat(
                new TextLineInputFormat(), new org.apache.flink.core.fs.Path(folder.toUri())).build();
        print(env.fromSource(source, WatermarkStrategy.noWatermarks(), "files").executeAndCollect());
    }

    private static void print(CloseableIterator<String> rows) throws Exception {
        List<String> found = new ArrayList<>();
        try (rows) {
            rows.forEachRemaining(found::add);
        }
        Collections.sort(found);
        found.forEach(System.out::println);
    }

    /** A file that changes while it is watched; and one that comes with an earlier time than the latest seen. */
    private static void changed(Path folder) throws Exception {
        System.out.println("# PROCESS_CONTINUOUSLY");
        Path first = folder.resolve("first.txt");
        write(first, "one");
        TextInputFormat format = new TextInputFormat(new org.apache.flink.core.fs.Path(folder.toUri()));
        StreamExecutionEnvironment env = environment(1);
        CloseableIterator<String> rows =
                env.readFile(format, folder.toString(), FileProcessingMode.PROCESS_CONTINUOUSLY, 100).executeAndCollect();
        System.out.println("first: " + rows.next());
        write(first, "one\ntwo");
        java.nio.file.Files.setLastModifiedTime(first, FileTime.fromMillis(System.currentTimeMillis() + 5000));
        System.out.println("changed: " + rows.next() + ", " + rows.next());
        write(folder.resolve("second.txt"), "earlier");
        Thread.sleep(1000);
        Path third = folder.resolve("third.txt");
        write(third, "later");
        java.nio.file.Files.setLastModifiedTime(third, FileTime.fromMillis(System.currentTimeMillis() + 9000));
        System.out.println("then: " + rows.next());
        rows.close();
    }

    private static void written(Path folder, int parallelism, BucketAssignerKind kind, OutputFileConfig config, long size)
            throws Exception {
        System.out.println("# FileSink, " + folder.getFileName());
        StreamExecutionEnvironment env = environment(parallelism);
        BucketAssigner<Long, String> assigner =
                kind == BucketAssignerKind.DEFAULT ? new DateTimeBucketAssigner<>()
                        : kind == BucketAssignerKind.BASE ? new BasePathBucketAssigner<>() : new Parity();
        FileSink<Long> sink =
                FileSink.forRowFormat(new org.apache.flink.core.fs.Path(folder.toUri()), new SimpleStringEncoder<Long>())
                        .withBucketAssigner(assigner)
                        .withOutputFileConfig(config)
                        .withRollingPolicy(DefaultRollingPolicy.builder()
                                .withMaxPartSize(new org.apache.flink.configuration.MemorySize(size)).build())
                        .build();
        env.fromSequence(1, 10).sinkTo(sink);
        env.execute();
        List<String> names = new ArrayList<>();
        try (Stream<Path> paths = java.nio.file.Files.walk(folder)) {
            paths.filter(java.nio.file.Files::isRegularFile).forEach(path -> names.add(described(folder, path)));
        }
        Collections.sort(names);
        names.forEach(System.out::println);
    }

    private static String described(Path folder, Path path) {
        try {
            String name = folder.relativize(path).toString().replaceAll(RANDOM, "RANDOM");
            return name.replaceAll("\\d{4}-\\d\\d-\\d\\d--\\d\\d", "HOUR") + ": "
                    + String.join(" ", java.nio.file.Files.readAllLines(path));
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    private static final class Parity implements BucketAssigner<Long, String> {
        @Override
        public String getBucketId(Long element, Context context) {
            return element % 2 == 0 ? "even" : "odd";
        }

        @Override
        public SimpleVersionedSerializer<String> getSerializer() {
            return SimpleVersionedStringSerializer.INSTANCE;
        }
    }

    private static StreamExecutionEnvironment environment(int parallelism) {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setParallelism(parallelism);
        env.enableCheckpointing(200);
        return env;
    }

    private static void write(Path path, String text) throws java.io.IOException {
        java.nio.file.Files.createDirectories(path.getParent());
        java.nio.file.Files.writeString(path, text + "\n");
    }
}
