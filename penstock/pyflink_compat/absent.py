"""What PyFlink has and penstock has not, and what to use instead."""

_JAVA = "it stands for an object of Java, and there is no Java here"
_INSIDE = "it is part of the inside of PyFlink, not of its interface"
_GATEWAY_GUIDE = "connectors, formats and options have classes of their own"
_LATER = "is not in this version of penstock"
_TABLES = f"the Table API and SQL {_LATER}, but for DataTypes; write the program with the DataStream API"


def _connector(system: str, instead: str) -> str:
    return f"the connector to {system} {_LATER}; {instead}"


_OWN_SOURCE = "a Source of your own (penstock.contracts.source) can read from it"
_OWN_SINK = "a Sink of your own (penstock.contracts.sink) can write to it"
_OWN_BOTH = (
    "a Source or Sink of your own (penstock.contracts.source, penstock.contracts.sink) can do it meanwhile"
)

_MODULES_OF_TABLES = (
    "catalog",
    "changelog_mode",
    "compiled_plan",
    "data_view",
    "descriptors",
    "environment_settings",
    "explain_detail",
    "expression",
    "expressions",
    "functions",
    "model_descriptor",
    "module",
    "plan_reference",
    "resolved_expression",
    "result_kind",
    "schema",
    "serializers",
    "sql_dialect",
    "statement_set",
    "table",
    "table_config",
    "table_descriptor",
    "table_environment",
    "table_pipeline",
    "table_result",
    "table_schema",
    "udf",
    "utils",
    "window",
)

# Whole modules, with everything below them: their import fails.
MODULES: dict[str, str] = {
    "pyflink.examples": "the examples of PyFlink are files of PyFlink; run one by its path",
    "pyflink.find_flink_home": "there is no installation of Flink; options come from --conf-dir or env.configure",
    "pyflink.fn_execution": _INSIDE,
    "pyflink.gen_protos": _INSIDE,
    "pyflink.pyflink_callback_server": _JAVA,
    "pyflink.pyflink_gateway_server": _JAVA,
    "pyflink.shell": f"the shell of PyFlink {_LATER}; use python -i",
    **{f"pyflink.table.{module}": _TABLES for module in _MODULES_OF_TABLES},
}


# Single names. They can be imported, so that programs start that never come to use them; their use fails.
NAMES: dict[str, dict[str, str]] = {
    "py4j.java_gateway": dict.fromkeys(
        [
            "GatewayParameters",
            "JavaClass",
            "JavaGateway",
            "JavaObject",
            "get_method",
            "is_instance_of",
            "java_import",
        ],
        f"{_JAVA}; what programs reach through the gateway is in Python: {_GATEWAY_GUIDE}",
    ),
    "pyflink": dict.fromkeys(["add_version_doc", "keyword", "keyword_only", "wraps"], _INSIDE),
    "pyflink.common": {
        "AssignerWithPeriodicWatermarksWrapper": f"{_JAVA}; use WatermarkStrategy.for_generator",
    },
    "pyflink.common.io": {
        "InputFormat": f"{_JAVA}; write a Source (penstock.contracts.source) in place of it",
    },
    "pyflink.common.serialization": {
        "RowDataBulkWriterFactory": "rows need no other form here; derive from BulkWriterFactory"
    },
    "pyflink.common.utils": {"JavaObjectWrapper": _JAVA},
    "pyflink.common.watermark_strategy": {
        "AssignerWithPeriodicWatermarksWrapper": f"{_JAVA}; use WatermarkStrategy.for_generator",
    },
    "pyflink.datastream.connectors.cassandra": dict.fromkeys(
        [
            "CassandraCommitter",
            "CassandraFailureHandler",
            "CassandraSink",
            "ClusterBuilder",
            "ConsistencyLevel",
            "MapperOptions",
        ],
        _connector("Cassandra", _OWN_SINK),
    ),
    "pyflink.datastream.connectors.dynamic_kafka": dict.fromkeys(
        [
            "DynamicKafkaSource",
            "DynamicKafkaSourceBuilder",
            "KafkaMetadataService",
            "KafkaRecordDeserializationSchema",
            "KafkaStreamSetSubscriber",
            "KafkaStreamSubscriber",
            "SingleClusterTopicMetadataService",
            "StreamPatternSubscriber",
        ],
        _connector("changing Kafka clusters", _OWN_SOURCE),
    ),
    "pyflink.datastream.connectors.elasticsearch": dict.fromkeys(
        [
            "Elasticsearch6SinkBuilder",
            "Elasticsearch7SinkBuilder",
            "ElasticsearchEmitter",
            "ElasticsearchSink",
            "ElasticsearchSinkBuilderBase",
            "FlushBackoffType",
        ],
        _connector("Elasticsearch", _OWN_SINK),
    ),
    "pyflink.datastream.connectors.jdbc": dict.fromkeys(
        ["JdbcConnectionOptions", "JdbcExecutionOptions", "JdbcSink"], _connector("databases", _OWN_SINK)
    ),
    "pyflink.datastream.connectors.kinesis": dict.fromkeys(
        [
            "FlinkKinesisConsumer",
            "KinesisDeserializationSchema",
            "KinesisFirehoseSink",
            "KinesisFirehoseSinkBuilder",
            "KinesisShardAssigner",
            "KinesisStreamsSink",
            "KinesisStreamsSinkBuilder",
            "PartitionKeyGenerator",
            "WatermarkTracker",
        ],
        _connector("Kinesis", _OWN_BOTH),
    ),
    "pyflink.datastream.connectors.pulsar": dict.fromkeys(
        [
            "MessageDelayer",
            "PulsarDeserializationSchema",
            "PulsarSerializationSchema",
            "PulsarSink",
            "PulsarSinkBuilder",
            "PulsarSource",
            "PulsarSourceBuilder",
            "RangeGenerator",
            "StartCursor",
            "StopCursor",
            "SubscriptionType",
            "TopicRoutingMode",
        ],
        _connector("Pulsar", _OWN_BOTH),
    ),
    "pyflink.datastream.connectors.base": dict.fromkeys(
        ["StreamTransformer", "SupportsPreprocessing"], _INSIDE
    ),
    "pyflink.datastream.functions": dict.fromkeys(
        [
            "AsyncFunctionDescriptor",
            "FunctionWrapper",
            "InternalIterableAllWindowFunction",
            "InternalIterableProcessAllWindowFunction",
            "InternalIterableProcessWindowFunction",
            "InternalIterableWindowFunction",
            "InternalProcessAllWindowContext",
            "InternalProcessWindowContext",
            "InternalSingleValueAllWindowFunction",
            "InternalSingleValueProcessAllWindowFunction",
            "InternalSingleValueProcessWindowFunction",
            "InternalSingleValueWindowFunction",
            "InternalWindowFunction",
            "JavaFunctionWrapper",
            "NullByteKeySelector",
            "PassThroughAllWindowFunction",
            "PassThroughWindowFunction",
            "ReduceFunctionWrapper",
        ],
        _INSIDE,
    ),
    "pyflink.datastream.utils": {
        "ResultTypeQueryable": _INSIDE,
        "convert_to_python_obj": _INSIDE,
        "create_hadoop_configuration": _JAVA,
        "create_java_properties": _JAVA,
        "pickled_bytes_to_python_obj": _INSIDE,
    },
    "pyflink.datastream.window": dict.fromkeys(
        ["Min", "WindowOperationDescriptor", "long_to_int_with_bit_mixing", "mod_inverse"], _INSIDE
    ),
    "pyflink.java_gateway": dict.fromkeys(
        [
            "PythonFunctionFactory",
            "Watchdog",
            "get_gateway",
            "import_flink_view",
            "is_launch_gateway_disabled",
            "launch_gateway",
        ],
        f"{_JAVA}; what programs reach through the gateway is in Python: {_GATEWAY_GUIDE}",
    ),
    "pyflink.serializers": dict.fromkeys(
        [
            "BatchedSerializer",
            "IterableSerializer",
            "PickleSerializer",
            "SpecialLengths",
            "VarLengthDataSerializer",
            "read_int",
            "write_int",
        ],
        f"{_INSIDE}; a serializer of your own is a TypeSerializer (pyflink.common.serializer)",
    ),
    "pyflink.table": dict.fromkeys(
        [
            "AggregateFunction",
            "AsyncScalarFunction",
            "ChangelogMode",
            "CompiledPlan",
            "DataView",
            "EnvironmentSettings",
            "ExplainDetail",
            "Expression",
            "FormatDescriptor",
            "FunctionContext",
            "GroupWindowedTable",
            "GroupedTable",
            "ListView",
            "MapView",
            "Module",
            "ModuleEntry",
            "OverWindowedTable",
            "PlanReference",
            "ResultKind",
            "ScalarFunction",
            "Schema",
            "SqlDialect",
            "StatementSet",
            "StreamTableEnvironment",
            "Table",
            "TableAggregateFunction",
            "TableConfig",
            "TableDescriptor",
            "TableEnvironment",
            "TableFunction",
            "TablePipeline",
            "TableResult",
            "TableSchema",
            "UserDefinedType",
            "WindowGroupedTable",
        ],
        _TABLES,
    ),
    "pyflink.table.types": {
        "RawType": _INSIDE,
        "UserDefinedType": _TABLES,
        **dict.fromkeys(["create_arrow_schema", "from_arrow_type", "to_arrow_type"], _INSIDE),
    },
    "pyflink.testing.source_sink_utils": dict.fromkeys(
        ["results", "retract_results", "upsert_results"],
        "it reads the rows of a sink of Java; DataStream.execute_and_collect gives rows to assert on",
    ),
    "pyflink.testing.test_case_utils": {
        "exec_insert_table": f"the Table API and SQL {_LATER}; DataStream.execute_and_collect runs a job and gives its rows",
        "invoke_java_object_method": _JAVA,
        "to_java_data_structure": f"{_JAVA}; functions and schemas take values of Python as they are",
    },
    "pyflink.util.exceptions": dict.fromkeys(
        ["convert_py4j_exception", "install_exception_handler", "install_py4j_hooks"],
        f"{_JAVA}; failures are subclasses of penstock.errors.PenstockError",
    ),
    "pyflink.util.java_utils": dict.fromkeys(
        [
            "add_jars_to_context_class_loader",
            "create_url_class_loader",
            "from_j_duration",
            "get_field",
            "get_field_value",
            "get_j_env_configuration",
            "invoke_method",
            "is_instance_of",
            "is_local_deployment",
            "load_java_class",
            "to_j_duration",
            "to_j_explain_detail_arr",
            "to_jarray",
        ],
        f"{_JAVA}; options are read with env.get_configuration(), durations are Duration objects",
    ),
}


def reason_of_absence(module: str, name: str | None) -> str | None:
    """Why a name of a module, or with None the module, is not here; None for what PyFlink has not either.

    >>> reason_of_absence("pyflink.common.utils", "JavaObjectWrapper")
    'it stands for an object of Java, and there is no Java here'
    """
    names = NAMES.get(module, {})
    if name is not None and name in names:
        return names[name]
    for whole, reason in MODULES.items():
        if module == whole or f"{module}.{name}" == whole or module.startswith(f"{whole}."):
            return reason
    return None
