"""Writes what a JobManager keeps of a job, in the format that is current: ``python -m tests.compatibility.write_job``.

Run once when the version of the format is raised; what it writes is committed and kept for ever.
"""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

from penstock.dataflow.rescaling import ParallelismBounds
from penstock.deploy.cluster.job_files import JobFiles
from penstock.deploy.cluster.job_store import JobStore, LatestCheckpoint
from penstock.deploy.cluster.submission import FORMAT_VERSION, Submission, encode_submission, make_submission
from penstock.logs.shipped import ShippedLogging
from tests.compatibility.kept_job import JOB_ID, LATEST, graph

JOBS = Path(__file__).parent / "jobs"


def submission() -> Submission:
    """All that can be kept of a job."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("files/0/rates.py"), "EURO = 2\n")
    files = JobFiles(buffer.getvalue(), ("files/0",), (("archives/0/a.zip", "a"),))
    logging = ShippedLogging("logging.yaml", "root: {}\n")
    made = make_submission(JOB_ID, graph(), ["/nowhere"], ["kept.py", "-v"], logging)
    return replace(
        made, parallelism=2, files=files, bounds=ParallelismBounds(1, 3), client_timeout_ms=3_600_000
    )


def write(directory: Path) -> None:
    """A job, and the note of its latest checkpoint."""
    store = JobStore(str(directory), epoch=lambda: 4)
    store.add(JOB_ID, encode_submission(submission()))
    store.note(JOB_ID, LatestCheckpoint(LATEST, "/nowhere/chk-7"))


if __name__ == "__main__":
    write(JOBS / f"version-{FORMAT_VERSION}")
