"""Which functions and methods are called in another way than PyFlink's, and why. The test holds the list to be exact.

What the rules of the test allow does not stand here: constructors that take an object of Java, parameters behind PyFlink's
that may be left out, and defaults for what PyFlink wants to be given.
"""

_BUILT_BY_METHODS = "programs do not call it: objects come from methods of streams and builders"
_BY_POSITION = "the one parameter has the name that it has in the base class, which PyFlink's has not"
_SAME_BUILDERS = "its builders are those of FileSink, whose parameter is named rolling_policy"
_USER_CLASS = "a class that users derive from: PyFlink's wraps an object of Java, here the subclass has its own constructor"

DIFFERENCES = {
    "pyflink.common.typeinfo": {
        "DateTypeInfo.from_internal_type": _BY_POSITION,
        "DateTypeInfo.to_internal_type": _BY_POSITION,
        "TimeTypeInfo.from_internal_type": _BY_POSITION,
        "TimeTypeInfo.to_internal_type": _BY_POSITION,
        "TimestampTypeInfo.from_internal_type": _BY_POSITION,
        "TimestampTypeInfo.to_internal_type": _BY_POSITION,
    },
    "pyflink.datastream.connectors.base": {
        "Sink.__init__": _USER_CLASS,
        "Source.__init__": _USER_CLASS,
    },
    "pyflink.datastream.connectors.file_system": {
        "StreamingFileSink.BaseBuilder.with_rolling_policy": _SAME_BUILDERS,
        "StreamingFileSink.DefaultBulkFormatBuilder.with_rolling_policy": _SAME_BUILDERS,
        "StreamingFileSink.DefaultRowFormatBuilder.with_rolling_policy": _SAME_BUILDERS,
    },
    "pyflink.datastream.data_stream": {
        "BroadcastConnectedStream.__init__": _BUILT_BY_METHODS,
        "ConnectedStreams.flat_map": "a second plain function may stand where the type does; a type there is the type",
        "ConnectedStreams.map": "a second plain function may stand where the type does; a type there is the type",
        "ConnectedStreams.process": "a second plain function may stand where the type does; a type there is the type",
        "KeyedStream.broadcast": "it raises whatever it is given, as PyFlink's does",
    },
    "pyflink.datastream.formats.parquet": {
        "ParquetColumnarRowInputFormat.__init__": "columns are read in larger batches, which pyarrow is faster with",
    },
    "pyflink.datastream.functions": {
        "SinkFunction.__init__": _USER_CLASS,
        "SourceFunction.__init__": _USER_CLASS,
    },
    "pyflink.datastream.stream_execution_environment": {
        "StreamExecutionEnvironment.execute_async": "the default is pipeline.name, and PyFlink's name without that",
    },
    "pyflink.util.exceptions": {
        "capture_java_exception": "a decorator, which is used without the name of its parameter",
        "JavaException.__init__": "it carries a message of Python, as there is no stack of Java",
    },
}
