"""The ready files for machines and clouds: they can be read, and say what the tools that read them want."""

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.cli.main import main
from tests.missing import leave_out_for_want_of

FILES = Path(__file__).resolve().parents[2] / "deploy-files"
UNITS = sorted((FILES / "systemd").glob("*.service"))


def read(name: str) -> Any:
    return yaml.safe_load((FILES / name).read_text())


@pytest.mark.parametrize("name", ["aws", "gcp"])
def test_ray_takes_the_files_of_its_launcher(name: str) -> None:
    try:
        import jsonschema
        import ray
    except ImportError:
        leave_out_for_want_of("ray", "pip install 'penstock[ray]'")
    described = read(f"ray/{name}.yaml")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    jsonschema.validate(described, schema)
    assert described["head_node_type"] in described["available_node_types"]
    assert described["provider"]["type"] == name


def test_the_manifests_for_kubernetes_have_what_kuberay_requires() -> None:
    cluster, job = read("kubernetes/ray-cluster.yaml"), read("kubernetes/ray-job.yaml")
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    for spec in (cluster["spec"], job["spec"]["rayClusterSpec"]):
        groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
        for group in groups:
            assert all(isinstance(value, str) for value in group["rayStartParams"].values())
            (container,) = group["template"]["spec"]["containers"]
            assert container["image"] == "penstock:latest"
        for group in spec["workerGroupSpecs"]:
            assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_every_command_in_them_is_one_of_penstocks() -> None:
    texts = [path.read_text() for path in FILES.rglob("*") if path.is_file()]
    commands = {
        match.group(1) for text in texts for match in re.finditer(r"\bpenstock ([a-z]+(?:-[a-z]+)*) -", text)
    }
    assert {"start-cluster", "stop-cluster", "run"} <= commands
    for command in commands:
        assert main([command, "--help"]) == 0, command


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_run_roles_in_the_foreground(path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read(path)
    role = "jobmanager" if "jobmanager" in path.name else "taskmanager"
    assert f"penstock {role} start-foreground" in unit["Service"]["ExecStart"]
    assert unit["Service"]["Restart"] == "always"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        leave_out_for_want_of("systemd-analyze", "apt-get install systemd")
    copies = []
    for path in UNITS:
        copy = tmp_path / path.name.replace("@", "@1")
        copy.write_text(path.read_text().replace("/opt/penstock/bin/penstock", "/bin/true"))
        copies.append(str(copy))
    done = subprocess.run(["systemd-analyze", "verify", *copies], capture_output=True, text=True, check=False)
    assert not [line for line in done.stderr.splitlines() if str(tmp_path) in line], done.stderr


def test_the_image_has_files_that_are_there_and_extras_that_exist() -> None:
    import tomllib

    root = FILES.parent
    text = (FILES / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?:--\S+ )*(.+)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (root / name).exists(), name
    extras = set(re.findall(r"penstock\[([a-z0-9,]+)\]", text)[0].split(","))
    assert extras <= set(
        tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    )
