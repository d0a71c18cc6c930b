"""Flink's own command line, from its jars on Maven Central (80 MB, once)."""

import os
import subprocess
from pathlib import Path

from tests.services.maven_jars import jars_of

_ARTIFACTS = (
    "org.apache.flink:flink-clients:2.3.0",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3",
    "org.apache.logging.log4j:log4j-core:2.25.3",
)
PATIENCE_S = 240


class FlinkClient:
    """Runs ``flink ...``; ``home`` is a directory of its own."""

    def __init__(self, home: Path) -> None:
        self._jars = jars_of("flink-client-2.3.0", *_ARTIFACTS)
        self._conf = home / "conf"
        self._conf.mkdir(parents=True)
        (self._conf / "config.yaml").write_text("parallelism.default: 1\n")

    def __call__(self, *words: str) -> tuple[int, str]:
        """The exit code, and all that was said."""
        done = subprocess.run(
            [
                "java",
                "--add-opens=java.base/java.util=ALL-UNNAMED",
                "-cp",
                f"{self._jars}/*",
                "org.apache.flink.client.cli.CliFrontend",
                *words,
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            env={**os.environ, "FLINK_CONF_DIR": str(self._conf)},
        )
        return done.returncode, done.stdout + done.stderr
