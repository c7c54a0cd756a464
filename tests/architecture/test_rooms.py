"""The rules of the rooms: how many files, how long they are, and that a new file changes no configuration."""

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("modelrepo", "preprocessing", "service", "training", "bench")
MOST_FILES, MOST_LINES = 15, 300
USUAL_LINES = (60, 150)  # the range of the median
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
FORBIDDEN = {  # by room or package: a module above it
    "modelrepo": "preprocessing",
    "preprocessing": "service",
    "service": "service.__main__",
    "training": "training.__main__",
    "bench": "training",
    "bench/clients": "bench.commands",
}
EXHAUSTIVE = ("service", "training")  # the contracts name every module at the top of these


def modules(package: str) -> Iterator[Path]:
    """The files of a package, except those that only describe a folder."""
    return (path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py")


def rooms(package: str, root: Path = ROOT) -> list[Path]:
    """The folders of a package with Python files in them, the package first."""
    return sorted({path.parent for path in (root / package).rglob("*.py")})


ROOMS = [str(room.relative_to(ROOT)) for package in PACKAGES for room in rooms(package)]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_folder_has_at_most_fifteen_files(package: str) -> None:
    files = Counter(str(path.parent.relative_to(ROOT)) for path in (ROOT / package).rglob("*.py"))

    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_of_a_length_that_is_read_at_once(package: str) -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules(package)}

    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}
    assert USUAL_LINES[0] <= median(lengths.values()) <= USUAL_LINES[1]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_in_a_few_sentences_what_it_is_for(room: str) -> None:
    purpose = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text()))

    assert purpose is not None
    assert 1 <= len(re.findall(r"\.(?=\s|$)", purpose)) <= 3


@pytest.fixture
def extended(tmp_path: Path) -> Path:
    """A copy of the packages and of their configuration, with a new module in every room."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=lambda _, names: [n for n in names if is_data(n)])
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module in added(tmp_path).values():
        module.write_text('"""A new module."""\n')
    return tmp_path


def is_data(name: str) -> bool:
    """Whether a file is of no concern to who imports whom."""
    return name == "__pycache__" or ("." in name and not name.endswith(".py"))


def added(root: Path) -> dict[str, Path]:
    """Where the new modules are, by their room."""
    every = [room for package in PACKAGES for room in rooms(package, root)]
    named = {str(room.relative_to(root)): room / "new_module.py" for room in every}
    return {room: module for room, module in named.items() if room not in EXHAUSTIVE}


def lint_imports(root: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)


def test_a_new_module_in_any_room_needs_no_configuration(extended: Path) -> None:
    done = lint_imports(extended)

    assert done.returncode == 0, done.stdout


def test_a_new_module_in_any_room_must_not_import_from_above(extended: Path) -> None:
    for room, module in added(extended).items():
        above = FORBIDDEN.get(room) or FORBIDDEN[room.partition("/")[0]]
        module.write_text(f'"""A new module."""\n\nimport {above}\n')

    done = lint_imports(extended)

    modules = [f"{room.replace('/', '.')}.new_module" for room in added(extended)]
    assert done.returncode != 0
    assert [module for module in modules if f"{module} ->" not in done.stdout] == []
