"""Flink's options: every text can be read, keys are found under all their names, and mistakes are noticed."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from penstock.config import Configuration, catalogue
from penstock.config.catalogue import all_options, find_option, get_option
from penstock.config.checks import check_configuration
from penstock.config.value_texts import parse_value, value_text
from penstock.errors import OptionError


def test_every_option_has_a_meaning_an_effect_and_a_default_of_its_kind():
    seen = set()
    for option in all_options():
        assert option.key not in seen
        seen.add(option.key)
        assert option.effect in ("honoured", "accepted", "refused")
        assert option.meaning.endswith(".")
        if option.default is not None:
            assert (
                parse_value(option.kind, value_text(option.default)) == option.default
                or option.kind == "memory"
            )
    assert len(seen) > 250


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("execution.checkpointing.timeout", timedelta(minutes=10)),
        ("execution.checkpointing.mode", "EXACTLY_ONCE"),
        ("execution.buffer-timeout.interval", timedelta(milliseconds=100)),
        ("execution.runtime-mode", "STREAMING"),
        ("pipeline.auto-watermark-interval", timedelta(milliseconds=200)),
        ("parallelism.default", 1),
        ("pipeline.max-parallelism", -1),
        ("taskmanager.numberOfTaskSlots", 1),
        ("restart-strategy.exponential-delay.backoff-multiplier", 1.5),
        ("state.backend.type", "hashmap"),
        ("rest.port", 8081),
        ("execution.checkpointing.data-inline-threshold", 20 << 10),
        ("execution.checkpointing.interval", None),
    ],
)
def test_defaults_are_those_of_flink_2_3(key, default):
    assert get_option(key).default == default
    assert Configuration().get(key) == default


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("state.backend", "state.backend.type"),
        ("state.checkpoints.dir", "execution.checkpointing.dir"),
        ("state.savepoints.dir", "execution.checkpointing.savepoint-dir"),
        ("restart-strategy", "restart-strategy.type"),
        ("execution.buffer-timeout", "execution.buffer-timeout.interval"),
        ("execution.savepoint.path", "execution.state-recovery.path"),
    ],
)
def test_older_keys_mean_the_same(old, new):
    option = find_option(old)
    assert option is not None
    assert option.key == new


def test_a_value_under_an_older_key_is_read():
    assert Configuration().set_string("state.backend", "HASHMAP").get("state.backend.type") == "hashmap"


def test_a_misspelt_key_is_noticed_and_a_key_of_ones_own_is_not():
    warnings = check_configuration(
        Configuration()
        .set_string("rest.prt", "3")
        .set_string("my.key", "x")
        .set_string("table.exec.foo", "1")
    )
    assert warnings == ["there is no option 'rest.prt'; did you mean 'rest.port'?"]
    with pytest.raises(OptionError, match=r"did you mean 'execution\.runtime-mode'"):
        get_option("execution.runtime-mod")


def test_a_value_that_does_not_fit_is_an_error_before_the_job_starts():
    for key, value in (
        ("execution.checkpointing.interval", "often"),
        ("state.backend.type", "forst"),
        ("parallelism.default", "two"),
    ):
        with pytest.raises(OptionError, match=key):
            check_configuration(Configuration().set_string(key, value))


def test_an_option_that_would_change_results_is_refused_unless_it_is_left_at_its_default():
    key = "execution.state-recovery.approximate-local-recovery"
    assert check_configuration(Configuration().set_string(key, "false")) == []
    with pytest.raises(OptionError, match="does not support"):
        check_configuration(Configuration().set_boolean(key, True))


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("taskmanager.numberOfTaskSlot", "taskmanager.numberOfTaskSlots"),
        ("taskmanager.numberoftaskslots", "taskmanager.numberOfTaskSlots"),
        ("execution.checkpointing.intervall", "execution.checkpointing.interval"),
        ("restart-strategy.fixed-dealy.attempts", "restart-strategy.fixed-delay.attempts"),
    ],
)
def test_a_slip_is_warned_of_with_the_nearest_key_in_every_family(key: str, meant: str) -> None:
    expected = [f"there is no option {key!r}; did you mean {meant!r}?"]
    assert check_configuration(Configuration().set_string(key, "1")) == expected


@pytest.mark.parametrize(
    "key", ["kubernetes.cluster-id", "s3.access-key", "taskmanager.memory.jvm-overhead.max", "shop"]
)
def test_keys_of_families_that_are_not_listed_and_of_the_program_pass(key: str) -> None:
    assert check_configuration(Configuration().set_string(key, "1")) == []


def test_an_option_is_found_while_another_thread_reads_its_area(monkeypatch: pytest.MonkeyPatch) -> None:
    read, found = catalogue._parsed_area, []

    def interrupted(area: str) -> Iterator[Any]:
        monkeypatch.setattr(catalogue, "_parsed_area", read)
        other = threading.Thread(target=lambda: found.append(find_option("pipeline.name")))
        other.start()
        other.join()
        yield from read(area)

    monkeypatch.setattr(catalogue, "_by_key", {})
    monkeypatch.setattr(catalogue, "_read", set())
    monkeypatch.setattr(catalogue, "_parsed_area", interrupted)
    assert find_option("pipeline.name") is not None
    assert found == [find_option("pipeline.name")]
