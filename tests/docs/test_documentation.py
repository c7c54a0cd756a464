"""What users can set, call, scrape or stumble over is in the documentation, and its links lead somewhere."""

import re
from argparse import ArgumentParser, _SubParsersAction
from dataclasses import fields
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.metrics import MetricWrapperBase

from preprocessing.decode import FORMAT_NAMES
from service import environ, errors
from service.errors import RequestError
from service.settings import PREFIX, Settings
from service.telemetry.metrics import Metrics
from training.cli.main import make_parser

ROOT = Path(__file__).parent.parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "service" / "server" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
API = (ROOT / "docs" / "api.md").read_text()
TRAINING = {page.stem: page.read_text() for page in (ROOT / "docs" / "training").glob("*.md")}
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
MADE = {"bench/results/"}  # folders that commands make, which are not in the repository
SERVER = (ROOT / "service" / "server" / "README.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
MODELS = (ROOT / "docs" / "models.md").read_text()


def commands_of(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    """A parser's commands by name, not by alias; none where it has none."""
    choices = [action.choices for action in parser._actions if isinstance(action, _SubParsersAction)]
    return {command.prog.split()[-1]: command for command in choices[0].values()} if choices else {}


def options_of(parser: ArgumentParser) -> list[str]:
    """A command's options, its own commands' among them."""
    below = [option for command in commands_of(parser).values() for option in options_of(command)]
    return [option for action in parser._actions for option in action.option_strings] + below


COMMANDS = commands_of(make_parser())
TOPS = ("modelrepo", "preprocessing", "service", "training", "bench")


@pytest.mark.parametrize("name", [item.name for item in fields(Settings)])
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{PREFIX}{name.upper()}`" in OPERATIONS


def test_no_setting_is_documented_that_does_not_exist() -> None:
    named = set(re.findall(r"`(CONVSERVE_[A-Z_]+)`", API + OPERATIONS + MODELS))

    assert named - compose_variables() <= {f"{PREFIX}{item.name.upper()}" for item in fields(Settings)}


def test_every_list_of_image_formats_has_all_of_them() -> None:
    lines = [line for page in PAGES for line in page.read_text().splitlines() if "PNG" in line and "TIFF" in line]

    assert len(lines) >= 3
    assert [line for line in lines if not all(name in line for name in FORMAT_NAMES)] == []


def test_every_variable_of_the_deployment_is_documented() -> None:
    assert [name for name in compose_variables() if f"`{name}`" not in OPERATIONS] == []


def compose_variables() -> set[str]:
    """What the files for Docker read from the environment, but for what deploy/swarm/deploy itself puts there."""
    files = [
        ROOT / "docker-compose.yml",
        *(ROOT / "deploy").glob("compose/*.yml"),
        *(ROOT / "deploy").glob("swarm/*.yml"),
    ]
    return {name for file in files for name in re.findall(r"\$\{([A-Z_]+):-", file.read_text())}


def test_every_metric_is_documented(metrics: Metrics) -> None:
    every = {**vars(metrics), **vars(metrics.shadows)}.values()
    own = [value for value in every if isinstance(value, MetricWrapperBase)]
    names = [sample for metric in own for sample in (next(iter(metric.describe())).name,)]

    missing = [name for name in names if f"`{name}`" not in OPERATIONS and f"`{name}_total`" not in OPERATIONS]
    assert len(names) > 5
    assert missing == []


def test_every_metric_that_is_made_at_a_scrape_is_documented(app: Flask) -> None:
    scraped = app.test_client().get("/metrics").text
    names = re.findall(r"^# TYPE (\S+) ", scraped, re.MULTILINE)

    assert {"convserve_model_info", "convserve_ready", "process_resident_memory_bytes"} <= set(names)
    assert [name for name in names if f"| `{name}` |" not in OPERATIONS] == []


def test_every_route_is_documented(app: Flask) -> None:
    rules = [re.sub(r"<[a-z]+:", "<", rule.rule) for rule in app.url_map.iter_rules()]

    missing = [rule for rule in rules if not rule.startswith("/pages/") and f"{rule}`" not in API]
    assert missing == []


def test_every_error_code_is_documented() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RequestError)]

    assert [kind.code for kind in kinds if f"`{kind.code}`" not in API] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_in_its_table_and_no_other(name: str) -> None:
    section = TRAINING["commands"].partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    table = "\n".join(row.split(" | ")[0] for row in section.splitlines() if row.startswith("| `"))

    assert set(re.findall(r"--[a-z0-9-]+", table)) == set(options_of(COMMANDS[name])) - {"-h", "--help"}


def test_every_command_is_documented() -> None:
    pages = TRAINING["README"] + TRAINING["commands"]

    assert [name for name in COMMANDS if f"python -m training {name}" not in pages] == []


def test_every_room_is_in_the_architecture() -> None:
    rooms = [str(path.parent.relative_to(ROOT)) for top in TOPS for path in (ROOT / top).rglob("__init__.py")]

    assert len(rooms) > 15
    assert [room for room in rooms if f"`{room}/`" not in ARCHITECTURE] == []


def test_every_package_that_the_architecture_names_exists() -> None:
    named = re.findall(rf"`((?:{'|'.join(TOPS)})(?:/\w+)*)/`", ARCHITECTURE)

    assert [name for name in named if not (ROOT / name).is_dir()] == []


def test_every_file_of_the_server_and_every_key_of_the_environ_is_on_its_page() -> None:
    files = [path.name for path in (ROOT / "service" / "server").glob("[!_]*.py")]
    keys = [value for value in vars(environ).values() if isinstance(value, str) and value.startswith("convserve.")]

    assert len(keys) > 3
    assert [name for name in files + keys if f"`{name}`" not in SERVER] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_the_project_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join((*TOPS, 'tests', 'deploy', 'docs'))})/[\w./-]+)`", page.read_text())

    assert [name for name in named if name not in MADE and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text())

    assert [link for link in links if link[1] not in anchors(page.parent / link[0] if link[0] else page)] == []


def anchors(page: Path) -> set[str]:
    """What GitHub calls a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
