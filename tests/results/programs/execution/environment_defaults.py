"""What an environment answers about its settings."""

from pyflink.datastream import RuntimeExecutionMode

SINK = "returned"


def program(env):
    env.set_runtime_mode(RuntimeExecutionMode.STREAMING)
    env.set_max_parallelism(256)
    answers = [
        env.get_parallelism(),
        env.get_max_parallelism(),
        env.get_buffer_timeout(),
        env.is_chaining_enabled(),
        env.get_checkpoint_interval(),
        str(env.get_checkpointing_mode()),
        env.get_config().get_auto_watermark_interval(),
        env.get_config().is_object_reuse_enabled(),
    ]
    env.set_parallelism(3).disable_operator_chaining()
    return [*answers, env.get_parallelism(), env.is_chaining_enabled()]
