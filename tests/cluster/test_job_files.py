"""Files that travel with a job: packed on the client, unpacked where the job runs, gone when it has ended."""

import fcntl
import io
import os
import selectors
import signal
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.deploy.cluster import job_files
from penstock.deploy.cluster.brought_files import BroughtFiles
from penstock.deploy.cluster.job_directories import JobDirectories, unpack_archives, unpack_zip
from penstock.deploy.cluster.job_files import JobFiles, pack_files
from penstock.deploy.cluster.job_requirements import install_requirements
from penstock.deploy.cluster.messages import StartWorker
from penstock.deploy.local.lifeline import Birth
from penstock.errors import OutsideError, ProgramError
from tests.cluster.conftest import Cluster

PROGRAM = """
import sys
from goods import price
from shop import taxes
from zipped import rounded
from penstock.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment()
for function in (price, taxes.added, rounded):
    env.from_collection([1]).map(function).print()
env.execute()
"""
WHERE = """
import os
def {name}(value):
    here = os.path.abspath(__file__)
    mode = os.stat(here.partition("/files/")[0] + "/files").st_mode & 0o777
    job = here.rpartition("/files/")[0]
    return f"at {{here}} mode {{mode:o}} {{os.stat(job).st_mode & 0o777:o}}"
"""


def module(name: str) -> str:
    return WHERE.format(name=name)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A module, a package in a directory, and a zip archive with a module."""
    folder = tmp_path / "sources"
    (folder / "more" / "shop").mkdir(parents=True)
    (folder / "goods.py").write_text(module("price"))
    (folder / "more" / "shop" / "__init__.py").write_text("")
    (folder / "more" / "shop" / "taxes.py").write_text(module("added"))
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.writestr("zipped.py", module("rounded"))
    (tmp_path / "program.py").write_text(PROGRAM)
    return folder


def unpacked(cluster: Cluster) -> list[Path]:
    return sorted((cluster.home / "run" / "files").glob("*/job-*"))


def printed(cluster: Cluster, beginning: str) -> list[str]:
    files = sorted((cluster.home / "log").glob("*taskmanager*.out"))
    lines = [line for file in files for line in file.read_text().splitlines()]
    return [line for line in lines if line.startswith(beginning)]


def test_modules_directories_and_archives_are_imported_from_the_jobs_own_directory(
    running_cluster: Cluster, sources: Path, tmp_path: Path
) -> None:
    names = ",".join(str(sources / name) for name in ("goods.py", "more", "packed.zip"))
    running_cluster.penstock(
        "run", "-m", running_cluster.address, "-pyfs", names, str(tmp_path / "program.py")
    )
    lines = running_cluster.wait_for(lambda: len(found := printed(running_cluster, "at ")) == 3 and found)
    root = str(running_cluster.home / "run" / "files")
    assert all(line.startswith(f"at {root}/process-") for line in lines), lines
    assert sorted(line.split()[1].rpartition("/files/")[2] for line in lines) == [
        "0/goods.py",
        "1/more/shop/taxes.py",
        "2/packed.zip/zipped.py",
    ]
    assert all(line.endswith("mode 700 700") for line in lines), lines
    running_cluster.wait_for(lambda: not unpacked(running_cluster))


@pytest.mark.slow
def test_a_job_that_comes_again_with_a_changed_module_gets_the_changed_one(
    running_cluster: Cluster, tmp_path: Path
) -> None:
    program = tmp_path / "again.py"
    for number in (1, 2):
        (tmp_path / "changing.py").write_text(
            f"def version_{number}(value):\n    return 'version {number}'\n"
        )
        program.write_text(
            f"from changing import version_{number} as version\n"
            "from penstock.datastream import StreamExecutionEnvironment\n"
            "env = StreamExecutionEnvironment.get_execution_environment()\n"
            f"env.add_python_file({str(tmp_path / 'changing.py')!r})\n"
            "env.from_collection([1]).map(version).print()\n"
            "env.execute()\n"
        )
        running_cluster.penstock("run", "-m", running_cluster.address, str(program))
    running_cluster.wait_for(lambda: printed(running_cluster, "version") == ["version 1", "version 2"])


def test_what_is_too_large_to_travel_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(job_files, "MOST_FILES_BYTES", 1 << 20)
    (tmp_path / "small.py").write_text("")
    (tmp_path / "large.bin").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(ProgramError, match=r"python\.files: with '.*large\.bin' .* larger than 1 MiB"):
        pack_files({"python.files": str(tmp_path)})
    assert pack_files({"python.files": str(tmp_path / "small.py")}) is not None


def test_what_is_not_there_or_no_file_or_never_ends_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="no file or directory 'nowhere'"):
        pack_files({"python.files": "nowhere"})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ProgramError, match=r"pipe' is no file"):
        pack_files({"python.files": str(tmp_path)})
    (tmp_path / "pipe").unlink()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "loop").symlink_to(tmp_path)
    with pytest.raises(ProgramError, match=r"loop' leads to a directory that it lies in"):
        pack_files({"python.files": str(tmp_path)})


def test_nothing_travels_where_no_option_says_so() -> None:
    assert pack_files({"python.files": " , ", "parallelism.default": "2"}) is None


@pytest.mark.parametrize("name", ["../out.py", "/tmp/out.py", "inner/../../out.py"])
def test_an_archive_that_reaches_out_of_its_directory_is_refused_as_a_whole(
    name: str, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("good.py", "")
        archive.writestr(name, "")
    directory = tmp_path / "job"
    directory.mkdir()
    with pytest.raises(ProgramError, match="outside the directory of the job"):
        unpack_zip(buffer.getvalue(), directory)
    assert list(tmp_path.rglob("*")) == [directory]


def test_an_archive_with_a_link_or_that_is_none_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
    with pytest.raises(ProgramError, match="holds the link 'link'"):
        unpack_zip(buffer.getvalue(), tmp_path)
    with pytest.raises(ProgramError, match="cannot be unpacked"):
        JobDirectories(tmp_path / "files").unpack("job", JobFiles(b"no zip"))
    assert list((tmp_path / "files").glob("*/job-*")) == []


def test_what_a_killed_process_has_left_is_removed_and_what_others_use_stays(tmp_path: Path) -> None:
    (tmp_path / "process-left" / "job-1").mkdir(parents=True)
    (tmp_path / "process-left" / ".lock").write_text("")
    (tmp_path / "process-used" / "job-2").mkdir(parents=True)
    with open(tmp_path / "process-used" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        files = pack_files({"python.files": __file__})
        assert files is not None
        directories = JobDirectories(tmp_path)
        made = directories.unpack("job", files)
        assert (made / "files" / "0" / Path(__file__).name).read_bytes() == Path(__file__).read_bytes()
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["process-used", made.parent.name])
        directories.close()
    assert [path.name for path in tmp_path.iterdir()] == ["process-used"]


def test_functions_find_archives_unpacked_in_their_working_directory(
    running_cluster: Cluster, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "rates.zip", "w") as archive:
        archive.writestr("euro.txt", "in a zip")
    (tmp_path / "dollar.txt").write_text("in a tar")
    with tarfile.open(tmp_path / "more.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "dollar.txt", "deep/dollar.txt")
    program = tmp_path / "archives.py"
    program.write_text(
        "from penstock.datastream import StreamExecutionEnvironment\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        f"env.add_python_archive({str(tmp_path / 'more.tar.gz')!r}, 'tarred')\n"
        "names = env.from_collection(['rates.zip/euro.txt', 'tarred/deep/dollar.txt'])\n"
        "names.map(lambda name: 'archived ' + open(name).read()).print()\n"
        "env.execute()\n"
    )
    archives = str(tmp_path / "rates.zip")
    running_cluster.penstock("run", "-m", running_cluster.address, "-pyarch", archives, str(program))
    lines = running_cluster.wait_for(
        lambda: len(found := printed(running_cluster, "archived")) == 2 and found
    )
    assert lines == ["archived in a zip", "archived in a tar"]
    running_cluster.wait_for(lambda: not unpacked(running_cluster))


def test_an_archive_of_tar_that_reaches_out_fails_with_its_name(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.add(__file__, "../out.py")
    files = pack_files({"python.archives": f"{tmp_path / 'bad.tar'}#data"})
    assert files is not None
    directory = JobDirectories(tmp_path / "files").unpack("job", files)
    with pytest.raises(ProgramError, match=r"'bad\.tar' cannot be unpacked as 'data': .*outside"):
        unpack_archives(directory, files)
    assert not list(tmp_path.rglob("out.py"))


@pytest.mark.parametrize("target", ["../data", "/data", "inner/../../data", "."])
def test_the_name_of_an_unpacked_archive_stays_inside_the_working_directory(
    target: str, tmp_path: Path
) -> None:
    (tmp_path / "data.zip").write_bytes(b"")
    with pytest.raises(ProgramError, match="outside the workers' working directory"):
        pack_files({"python.archives": f"{tmp_path / 'data.zip'}#{target}"})
    with pytest.raises(ProgramError, match=r"outside|cannot be unpacked"):
        unpack_archives(tmp_path, JobFiles(b"", archives=(("data.zip", target),)))


def test_what_is_no_archive_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"")
    with pytest.raises(ProgramError, match=r"is no archive: \.zip, \.tar"):
        pack_files({"python.archives": __file__})
    with pytest.raises(ProgramError, match=r"two archives are to be unpacked as 'data\.zip'"):
        pack_files({"python.archives": f"{tmp_path / 'data.zip'},{tmp_path / 'data.zip'}"})


def wheel(directory: Path, name: str) -> None:
    """A package of one module."""
    with zipfile.ZipFile(directory / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", module("found"))
        about = f"{name}-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")


def with_requirement(folder: Path, name: str) -> str:
    """The words of ``-pyreq`` for a package in a directory."""
    (folder / "requirements.txt").write_text(f"{name}==1.0\n")
    return f"{folder / 'requirements.txt'}#{folder / 'cached'}"


@pytest.mark.slow
def test_requirements_are_installed_for_the_job_from_the_directory_that_came_along(
    running_cluster: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "cached").mkdir()
    wheel(tmp_path / "cached", "brought_by_pip")
    program = tmp_path / "needing.py"
    program.write_text(
        "from penstock.datastream import StreamExecutionEnvironment\n"
        "def needing(value):\n"
        "    import brought_by_pip\n"
        "    return 'needing ' + brought_by_pip.__file__\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        "env.from_collection([1]).map(needing).print()\n"
        "env.execute()\n"
    )
    words = with_requirement(tmp_path, "brought_by_pip")
    running_cluster.penstock("run", "-m", running_cluster.address, "-pyreq", words, str(program))
    line = running_cluster.wait_for(lambda: printed(running_cluster, "needing"))[0]
    assert line.startswith(f"needing {running_cluster.home / 'run' / 'files'}/")
    assert line.endswith("/packages/brought_by_pip.py")
    running_cluster.wait_for(lambda: not unpacked(running_cluster))

    words = with_requirement(tmp_path, "not_in_the_directory")
    said = running_cluster.penstock(
        "run", "-m", running_cluster.address, "-pyreq", words, str(program), check=False
    )
    assert "pip cannot install the requirements of the job: it ended with exit code 1" in said
    assert "No matching distribution found for not_in_the_directory==1.0" in said
    running_cluster.wait_for(lambda: not unpacked(running_cluster))


def test_pip_is_ended_when_the_job_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "waits.txt")  # pip waits for somebody who writes into it
    with pytest.raises(OutsideError, match="the job has ended"):
        install_requirements(tmp_path, JobFiles(b"", requirements="waits.txt"), lambda: False)


def test_workers_wait_for_files_and_are_refused_where_those_cannot_be_made_ready(tmp_path: Path) -> None:
    started: list[StartWorker] = []
    refused: list[tuple[int, str]] = []
    selector = selectors.DefaultSelector()
    brought = BroughtFiles(
        JobDirectories(tmp_path), selector, started.append, lambda number, why: refused.append((number, why))
    )

    def until(known: Callable[[], int], count: int) -> None:
        while known() < count:
            events = selector.select(120)
            assert events, "nothing was made ready"
            for key, mask in events:
                key.data(mask)

    def order(number: int, job_id: str) -> StartWorker:
        return StartWorker(number, Birth.of_this_process(0, 0, b""), job_id)

    (tmp_path / "broken.zip").write_bytes(b"broken")
    broken = pack_files({"python.archives": str(tmp_path / "broken.zip")})
    good = pack_files({"python.files": __file__})
    assert broken is not None
    assert good is not None
    brought.bring("broken", broken)
    brought.start_when_ready(order(1, "broken"))
    until(lambda: len(refused), 1)
    brought.start_when_ready(order(2, "broken"))  # it is tried again
    until(lambda: len(refused), 2)
    assert [number for number, _ in refused] == [1, 2]
    assert all("'broken.zip' cannot be unpacked as 'broken.zip'" in why for _, why in refused)
    brought.start_when_ready(order(3, "unknown"))
    assert refused[2:] == [(3, "the files of job unknown have not come here")]

    brought.bring("good", good)
    brought.start_when_ready(order(4, "good"))
    brought.start_when_ready(order(5, "good"))
    brought.give_up(5)
    assert refused[3:] == [(5, "it was given up before the files of its job were ready")]
    until(lambda: len(started), 1)
    place = Path(started[0].birth.sys_path[0])
    brought.drop("good")
    assert (place / Path(__file__).name).exists()  # its worker still runs
    brought.ended(4)
    assert not place.parents[1].exists()
    brought.close()
    assert [path.name for path in tmp_path.iterdir()] == ["broken.zip"]


@pytest.mark.slow
def test_files_are_there_again_when_a_jobmanager_takes_the_job_up(cluster: Cluster, tmp_path: Path) -> None:
    cluster.penstock("start-cluster", "-n", "1")
    module_file, program = tmp_path / "brought.py", tmp_path / "program.py"
    module_file.write_text("def shown(value):\n    return f'shown {value}'\n")
    program.write_text(
        "import brought\n"
        "from penstock.common import WatermarkStrategy\n"
        "from penstock.datastream import StreamExecutionEnvironment\n"
        "from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        "source = DataGeneratorSource(lambda index: index, 300, RateLimiterStrategy.per_second(100))\n"
        "numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), 'numbers')\n"
        "numbers.map(brought.shown).print()\n"
        "env.execute()\n"
    )
    job = cluster.submit(program, "-pyfs", str(module_file))
    module_file.unlink()
    cluster.wait_for(lambda: printed(cluster, "shown"))
    os.kill(cluster.pids("jobmanager")[0], signal.SIGKILL)
    cluster.penstock("jobmanager", "start")
    cluster.wait_for_state(job, "FINISHED")
    cluster.wait_for(lambda: "shown 299" in printed(cluster, "shown"))
    cluster.wait_for(lambda: not unpacked(cluster))
