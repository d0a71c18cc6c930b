"""How command lines are understood, and which are refused: nothing runs here."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.cli.commands import penstock, run
from penstock.cli.program import FileProgram, FunctionProgram, ModuleProgram, Program, choose_program
from penstock.cli.settings import Settings, gather_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PENSTOCK_CONF_DIR", raising=False)
    (tmp_path / "shop.py").write_text("")
    return tmp_path


def understand(*words: str) -> tuple[Program, Settings]:
    with run.make_context("run", list(words)) as context:
        given = context.params
        program = choose_program(given["file"], given["module"], given["entry"], given["arguments"])
        return program, gather_settings(given)


def options(*words: str) -> dict[str, str]:
    return understand(*words, "shop.py")[1].configuration.to_dict()


def invoke(*words: str) -> Result:
    return CliRunner().invoke(penstock, list(words), prog_name="penstock")


def refusal(*words: str) -> str:
    result = invoke(*words)
    assert result.exit_code == 2
    return result.output


@pytest.mark.parametrize(
    ("words", "program"),
    [
        (["shop.py"], FileProgram("shop.py", ())),
        (["shop.py", "-p", "3", "--", "-x"], FileProgram("shop.py", ("-p", "3", "--", "-x"))),
        (["-py", "shop.py", "a"], FileProgram("shop.py", ("a",))),
        (["--python", "shop.py"], FileProgram("shop.py", ())),
        (["-py", "shop.py", "--day", "-p", "3"], FileProgram("shop.py", ("--day", "-p", "3"))),
        (["-py", "shop.py", "--", "-p", "3"], FileProgram("shop.py", ("-p", "3"))),
        (["-pym", "shop.jobs", "--day=1"], ModuleProgram("shop.jobs", ("--day=1",))),
        (["--pyModule", "shop", "x"], ModuleProgram("shop", ("x",))),
        (["-c", "shop.jobs:Main.run", "x"], FunctionProgram("shop.jobs", "Main.run", ("x",))),
    ],
)
def test_a_program_is_named_in_three_ways_and_the_rest_is_its_own(
    folder: Path, words: list[str], program: Program
) -> None:
    assert understand(*words)[0] == program


def test_flags_and_properties_become_options(folder: Path) -> None:
    assert options("-p4") == {"parallelism.default": "4"}
    assert options("-Dparallelism.default=2", "-D", "shop.day=a=b") == {
        "parallelism.default": "2",
        "shop.day": "a=b",
    }
    assert options("-t", "local", "-D", "shop.open") == {"execution.target": "local", "shop.open": "true"}


def test_the_flag_wins_over_the_property_and_that_over_the_directory(folder: Path) -> None:
    (folder / "config.yaml").write_text("parallelism:\n  default: 2\npipeline.name: shop\n")
    from_directory = ["--conf-dir", str(folder)]
    assert options(*from_directory) == {"parallelism.default": "2", "pipeline.name": "shop"}
    assert options(*from_directory, "-Dparallelism.default=3")["parallelism.default"] == "3"
    assert options("-p4", *from_directory, "-Dparallelism.default=3")["parallelism.default"] == "4"


def test_the_directory_may_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "flink-conf.yaml").write_text("pipeline.name: shop\n")
    monkeypatch.setenv("PENSTOCK_CONF_DIR", str(folder))
    assert options() == {"pipeline.name": "shop"}


def test_without_one_it_is_that_of_the_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folder / "home" / "conf"
    home.mkdir(parents=True)
    (home / "config.yaml").write_text("execution.target: remote\nparallelism.default: 2\n")
    monkeypatch.setenv("PENSTOCK_HOME", str(folder / "home"))
    assert options("-d") == {"execution.target": "remote", "parallelism.default": "2"}
    assert options("-m", "here:1", "-Dparallelism.default=3") == {
        "execution.target": "remote",
        "rest.address": "here",
        "rest.port": "1",
        "parallelism.default": "3",
    }
    assert "PENSTOCK_CONF_DIR" not in os.environ, "the logging file of a job is not that of its cluster"
    (home / "config.yaml").write_text("parallelism: [\n")
    assert f"the configuration of {home}: " in refusal("run", "shop.py")
    (folder / "config.yaml").write_text("pipeline.name: shop\n")
    assert options("--conf-dir", str(folder)) == {"pipeline.name": "shop"}


def test_files_and_paths_are_imported_from(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
    (folder / "one" / "goods.py").write_text("")
    paths = f"two{os.pathsep}one"
    settings = understand("-pyfs", "one/goods.py,two", "-pypath", paths, "shop.py")[1]
    assert settings.import_path == (str(folder / "one"), str(folder / "two"))
    assert "there is no file or directory 'three'" in refusal("run", "-pyfs", "three", "shop.py")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["-m", "host"], "-m takes HOST:PORT, not 'host'"),
        (["-z", "zoo"], "a cluster is named by the address of its JobManager"),
        (["-d"], "-d is for clusters"),
        (["-pyexec", "python3"], "the interpreter that runs penstock"),
        (["-pyarch", "data.zip"], "-pyarch is for clusters"),
        (["-p", "0"], "0 is not in the range"),
        (["-p", "many"], "'many' is not a valid integer"),
        (["-D", "=x"], "has no key"),
        (["-D", "execution.checkpointing.intervall=1s"], "did you mean 'execution.checkpointing.interval'?"),
        (["-D", "paralelism.default=2"], "did you mean 'parallelism.default'?"),
        (["-D", "parallelism.default=two"], "expected a whole number, got 'two'"),
        (["--conf-dir", "nowhere"], "nowhere is not a directory"),
        (["-pyreq", "nowhere.txt"], "there is no file 'nowhere.txt'"),
        (["--paralelism", "2"], "--parallelism"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_program_starts(
    folder: Path, words: list[str], answer: str
) -> None:
    assert answer in refusal("run", *words, "shop.py")


def test_requirements_that_are_not_installed_are_named(folder: Path) -> None:
    (folder / "needs.txt").write_text("click\nno-such-package-of-ours==3\n")
    answer = refusal("run", "-pyreq", "needs.txt", "shop.py")
    assert "asks for no-such-package-of-ours==3;" in answer


def test_what_is_no_program_is_told_apart(folder: Path) -> None:
    (folder / "shop.jar").write_text("")
    (folder / "notes.txt").write_text("")
    (folder / "blob.py").write_bytes(b"\0\1")
    assert "no program is named" in refusal("run")
    assert "there is no file 'shp.py'; did you mean 'shop.py'?" in refusal("run", "shp.py")
    assert ". is a directory" in refusal("run", ".")
    assert "shop.jar is a program for Java" in refusal("run", "shop.jar")
    assert "does not end in .py" in refusal("info", "notes.txt")
    assert "there are null bytes in it" in refusal("run", "blob.py")
    assert "give one of -py, -pym and -c" in refusal("run", "-py", "shop.py", "-pym", "shop")
    assert "write -c module:function" in refusal("run", "-c", "shop")


def test_a_command_that_is_not_there_is_answered_with_those_that_are() -> None:
    assert (
        "there is no command 'modify'; there are run, run-application, info, completion, savepoint"
        in refusal("modify")
    )
    assert "modify is one of Flink's that is not in this version" in refusal("modify")
    assert "did you mean 'info'?" in refusal("inof")
    assert "to run a program: penstock run shop.py x" in refusal("shop.py", "x")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_completion_of_a_shell_calls_back_the_command(shell: str) -> None:
    result = invoke("completion", shell)
    assert result.exit_code == 0
    assert "_PENSTOCK_COMPLETE" in result.output


def test_help_shows_what_exists_and_not_what_is_refused() -> None:
    text = invoke("run", "--help").output
    assert "-p, --parallelism" in text
    assert "-pym, --pyModule" in text
    assert "--fromSavepoint" in text


def test_each_command_has_a_line_of_its_own_that_is_whole() -> None:
    _, _, lines = invoke("--help").output.partition("Commands:\n")
    named = {line.split()[0]: line for line in lines.splitlines()}
    assert {"start-cluster", "history-server", "logs", "cancel"} <= named.keys()
    assert [line for line in named.values() if not line.endswith(".") or line.endswith("...")] == []
    assert "historyserver" not in named and invoke("historyserver", "--help").exit_code == 0
