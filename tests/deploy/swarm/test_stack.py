"""deploy/swarm/stack.yml agrees with docker-compose.yml, except where Swarm differs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SWARM = ROOT / "deploy" / "swarm"
STACK = yaml.safe_load((SWARM / "stack.yml").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ADDITIONS = ("ports.yml", "alerting.yml", "tls.yml")
ALIKE = (
    *("image", "command", "entrypoint", "user", "environment", "networks", "read_only", "cap_drop", "logging"),
    *("stop_signal", "stop_grace_period", "ulimits", "sysctls"),
)
MEBI = 1 << 20


@pytest.mark.parametrize("name", STACK["services"])
def test_a_service_of_the_stack_is_that_of_compose(name: str) -> None:
    stack, compose = STACK["services"][name], COMPOSE["services"][name]
    registry = "${CONVSERVE_IMAGE:-convserve/service}"

    described = {**stack, "image": stack["image"].replace(registry, "convserve/service")}
    assert {key: described.get(key) for key in ALIKE} == {key: compose.get(key) for key in ALIKE}
    assert stack["deploy"]["resources"]["limits"] == compose["deploy"]["resources"]["limits"]


@pytest.mark.parametrize("name", STACK["services"])
def test_a_service_of_the_stack_has_the_tmpfs_of_compose(name: str) -> None:
    stack, compose = STACK["services"][name], COMPOSE["services"][name]
    mounts = [volume for volume in stack.get("volumes", []) if isinstance(volume, dict)]

    sizes = {volume["target"]: volume["tmpfs"]["size"] for volume in mounts}
    pairs = [re.fullmatch(r"(.+?):(?:.*,)?size=(\d+)m(?:,.*)?", text) for text in compose.get("tmpfs", [])]
    assert sizes == {pair[1]: int(pair[2]) * MEBI for pair in pairs if pair}
    assert "tmpfs" not in stack  # a stack passes over it without a word


def test_health_checks_are_those_of_compose_but_for_the_balancer_which_must_stay_without_replicas() -> None:
    checks = {name: service.get("healthcheck") for name, service in STACK["services"].items()}
    balancer = checks.pop("balancer")

    assert checks == {name: COMPOSE["services"][name].get("healthcheck") for name in checks}
    assert "readyz" not in str(balancer)


@pytest.mark.parametrize("name", ["stack.yml", "alerting.yml", "tls.yml"])
def test_every_config_is_named_by_the_digest_of_its_file(name: str) -> None:
    script = (SWARM / "deploy").read_text()
    configs: dict[str, dict[str, Any]] = yaml.safe_load((SWARM / name).read_text())["configs"]

    for config, described in configs.items():
        assert described["name"] == f"convserve-{config}-${{{config.upper()}:?use deploy/swarm/deploy}}"
        assert f"\ndigest {config.upper()} {described['file']}\n" in script
        assert (SWARM / described["file"]).is_file()


@pytest.mark.parametrize("name", ADDITIONS)
def test_additions_are_for_services_that_the_stack_has(name: str) -> None:
    assert set(yaml.safe_load((SWARM / name).read_text())["services"]) <= set(STACK["services"])
