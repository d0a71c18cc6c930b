import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;

/** Lets any strategy speak after each record, so that watermarks in mid-stream do not depend on the clock. */
public final class PerRecordWatermarks<T> implements WatermarkStrategy<T> {
    private final WatermarkStrategy<T> wrapped;

    public PerRecordWatermarks(WatermarkStrategy<T> wrapped) {
        this.wrapped = wrapped;
    }

    @Override
    public WatermarkGenerator<T> createWatermarkGenerator(WatermarkGeneratorSupplier.Context context) {
        WatermarkGenerator<T> generator = wrapped.createWatermarkGenerator(context);
        return new WatermarkGenerator<T>() {
            @Override
            public void onEvent(T event, long timestamp, WatermarkOutput output) {
                generator.onEvent(event, timestamp, output);
                generator.onPeriodicEmit(output);
            }

            @Override
            public void onPeriodicEmit(WatermarkOutput output) {
                generator.onPeriodicEmit(output);
            }
        };
    }
}
