"""What needs a broker at ``localhost:9092``: the page of the guide, our example and PyFlink's, with another address."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.connectors.kafka.talking import read
from tests.documentation.pages import ROOT
from tests.documentation.test_pages import WITH_KAFKA, run_page
from tests.examples.test_examples import EXAMPLES, promised, run_example
from tests.missing import leave_out_for_want_of
from tests.services.kafka_broker import KafkaCluster

# The tools of the results import each other by their own names, as they are scripts.
sys.path.insert(0, str(ROOT / "tests" / "results"))

from wheel_examples import find_wheel, unpack_examples

WHEELS = Path(sys.prefix) / "wheels"

pytestmark = pytest.mark.service

ADDRESS = "localhost:9092"


@pytest.fixture
def kafka(apache_kafka: KafkaCluster) -> KafkaCluster:
    """Nothing of this runs on a mock cluster."""
    return apache_kafka


def test_the_programs_of_the_page_about_kafka_print_what_it_says(kafka: KafkaCluster, tmp_path: Path) -> None:
    page = tmp_path / "kafka.md"
    page.write_text((ROOT / WITH_KAFKA).read_text("utf-8").replace(ADDRESS, kafka.bootstrap), "utf-8")
    finished = run_page(page, tmp_path)
    assert finished.returncode == 0, f"{finished.stderr}\n{finished.stdout}"


def test_the_example_counts_words_from_topic_to_topic(kafka: KafkaCluster) -> None:
    example = EXAMPLES["kafka_word_count"]
    assert run_example(example, kafka.bootstrap).strip() == promised(example)


GREETINGS = {1: "hi", 2: "hello", 3: "hi", 4: "hello", 5: "hi", 6: "hello"}
ROWS = sorted([*(f"+I[{number},{text}]" for number, text in GREETINGS.items()), "+I[6,hello]"])
COUNTRIES = [
    f'{{"id": {number}, "country": "{name}"}}' for number, name in enumerate(["USA", "Canada", "Germany"], 1)
]


@pytest.fixture(scope="session")
def examples_of_pyflink(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wheel = find_wheel(WHEELS)
    if wheel is None:
        leave_out_for_want_of(
            "the wheel of apache-flink, which has the examples",
            f"python tests/results/wheel_examples.py --fetch {WHEELS} fetches it",
        )
    return unpack_examples(wheel, tmp_path_factory.mktemp("examples")) / "connectors"


def started(example: Path, kafka: KafkaCluster, folder: Path) -> subprocess.Popen[str]:
    """An example under ``penstock run --pyflink``, as it is but for the address of the broker."""
    copy = folder / example.name
    copy.write_text(example.read_text("utf-8").replace(ADDRESS, kafka.bootstrap), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "penstock", "run", "--pyflink", str(copy)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [("json", ROWS), ("csv", ROWS), ("avro", ROWS), ("bytearray", sorted(COUNTRIES))],
)
def test_examples_of_pyflink_write_to_kafka_and_read_it_back(
    kafka: KafkaCluster, examples_of_pyflink: Path, tmp_path: Path, name: str, expected: list[str]
) -> None:
    kafka.create_topic(f"test_{name}_topic")
    running = started(examples_of_pyflink / f"kafka_{name}_format.py", kafka, tmp_path)
    assert running.stdout is not None
    try:  # its second job reads for ever
        found: list[str] = []
        for line in running.stdout:
            found += [line.strip()] if line.strip() in expected else []
            if len(found) == len(expected):
                break
        assert sorted(found) == expected
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


@pytest.mark.slow
def test_the_example_of_pyflink_for_fields_of_rows_writes_keys_and_values(
    kafka: KafkaCluster, examples_of_pyflink: Path, tmp_path: Path
) -> None:
    kafka.create_topic("row-extractor-example", 3)
    running = started(examples_of_pyflink / "kafka_row_field_extractor_example.py", kafka, tmp_path)
    running.communicate()
    assert running.returncode == 0
    keys = sorted(message.key() for message in read(kafka, "row-extractor-example"))
    assert keys == [b"user-001", b"user-001", b"user-002", b"user-003"]
