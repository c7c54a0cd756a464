"""The settings: every variable is known and checked, or the start stops with a sentence."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from service.cpus import usable_cpus
from service.settings import InvalidSetting, Settings, read_settings


def test_nothing_set_means_the_defaults() -> None:
    assert read_settings({}) == Settings()


def test_the_defaults_serve_this_machine_only() -> None:
    settings = read_settings({})

    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.workers == usable_cpus()


def test_every_setting_can_be_set_by_its_name() -> None:
    texts = {"host": "0.0.0.0", "models": "/srv/models", "default_model": "cifar10", "log_format": "text"}  # noqa: S104
    environment = {f"CONVSERVE_{item.name.upper()}": texts.get(item.name, "64") for item in fields(Settings)}

    sizes = {"CONVSERVE_MAX_BODY_BYTES": "2048", "CONVSERVE_MAX_BUFFERED_BYTES": "4096"}
    settings = read_settings({**environment, **sizes, "CONVSERVE_GRACE_PERIOD": "129"})

    assert (settings.host, settings.models, settings.workers) == ("0.0.0.0", Path("/srv/models"), 64)  # noqa: S104
    assert (settings.request_timeout, settings.max_body_bytes, settings.log_format) == (64.0, 2048, "text")


def test_variables_of_others_are_ignored() -> None:
    environment = {"PORT": "1", "PATH": "/bin", "convserve_port": "2", "CONVSERVE_DATA": "/data"}

    assert read_settings(environment) == Settings()


def test_an_unknown_name_is_named_with_those_that_are_known() -> None:
    with pytest.raises(InvalidSetting, match=r"^CONVSERVE_PROT is not a setting\. Known are: .*CONVSERVE_PORT"):
        read_settings({"CONVSERVE_PROT": "80"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", ""),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("HOST", ""),
        ("HOST", " "),
        ("MODELS", ""),
        ("DEFAULT_MODEL", ""),
        ("VERSIONS", "0"),
        ("WORKERS", "0"),
        ("WORKERS", "65"),
        ("WORKERS", "two"),
        ("THREADS", "-1"),
        ("MAX_BODY_BYTES", "1023"),
        ("MAX_BODY_BYTES", "16 MB"),
        ("MAX_BUFFERED_BYTES", "0"),
        ("MAX_PIXELS", "0"),
        ("MAX_IMAGES", "0"),
        ("MAX_QUEUE", "0"),
        ("MAX_CONNECTIONS", "0"),
        ("REQUEST_TIMEOUT", "0"),
        ("REQUEST_TIMEOUT", "nan"),
        ("REQUEST_TIMEOUT", "inf"),
        ("READ_TIMEOUT", "never"),
        ("IDLE_TIMEOUT", "-5"),
        ("DRAIN_DELAY", "601"),
        ("DRAIN_TIMEOUT", "-0.1"),
        ("GRACE_PERIOD", "0"),
        ("GRACE_PERIOD", "30.5"),
        ("LOG_FORMAT", "xml"),
        ("LOG_FORMAT", "JSON"),
    ],
)
def test_a_bad_value_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^CONVSERVE_{name} "):
        read_settings({f"CONVSERVE_{name}": text})


def test_all_bodies_together_have_room_for_one() -> None:
    environment = {"CONVSERVE_MAX_BODY_BYTES": "4096", "CONVSERVE_MAX_BUFFERED_BYTES": "2048"}

    with pytest.raises(InvalidSetting, match="CONVSERVE_MAX_BUFFERED_BYTES must be at least CONVSERVE_MAX_BODY_BYTES"):
        read_settings(environment)


def test_the_grace_period_is_longer_than_what_happens_in_it() -> None:
    environment = {"CONVSERVE_DRAIN_DELAY": "15", "CONVSERVE_DRAIN_TIMEOUT": "5", "CONVSERVE_GRACE_PERIOD": "20"}

    with pytest.raises(InvalidSetting, match="CONVSERVE_GRACE_PERIOD must be longer than CONVSERVE_DRAIN_DELAY and"):
        read_settings(environment)


def test_spaces_around_a_value_do_not_matter() -> None:
    assert read_settings({"CONVSERVE_PORT": " 80 "}).port == 80


def test_settings_do_not_change() -> None:
    settings = Settings()

    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]


def test_the_threads_of_all_sessions_share_the_cpus() -> None:
    assert Settings(workers=usable_cpus() * 2).session_threads == 1
    assert Settings(workers=1).session_threads == usable_cpus()
    assert Settings(workers=2, threads=3).session_threads == 3
