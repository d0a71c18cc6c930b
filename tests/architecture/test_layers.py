"""The import contracts are complete. (Whether they hold is `lint-imports`' work, in `make lint`.)"""

import configparser

from tests.architecture.source_tree import ROOT, list_paths

GROUND_AND_DOORS = {
    "cli", "testing", "web", "pyflink_compat", "common", "dataflow", "operators", "connectors", "formats", "storage",
    "windows", "contracts", "expressions", "data", "metrics", "config", "logs", "state_processor",
}  # fmt: skip


def read_contract(name: str, field: str) -> set[str]:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    return set(parser[f"importlinter:contract:{name}"][field].split())


def list_tower_folders() -> set[str]:
    folders = {path.split("/")[1] for path in list_paths("penstock") if path.count("/") > 1}
    return folders - GROUND_AND_DOORS


def test_every_folder_of_a_tower_is_named_in_both_tower_contracts() -> None:
    # A wildcard leaves out the folder's own `__init__.py`, so a folder that exists is named without one as well.
    for source, forbidden in (("writing-tower", "running-tower"), ("running-tower", "writing-tower")):
        named = read_contract(source, "source_modules") | read_contract(forbidden, "source_modules")
        assert {
            f"penstock.{folder}{end}" for folder in list_tower_folders() for end in ("", ".**")
        } - named == set()


def test_the_two_tower_contracts_mirror_each_other() -> None:
    assert read_contract("writing-tower", "source_modules") == read_contract(
        "running-tower", "forbidden_modules"
    )
    assert read_contract("running-tower", "source_modules") == read_contract(
        "writing-tower", "forbidden_modules"
    )
