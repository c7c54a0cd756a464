"""Who imports whom: serving never loads training's libraries, nor training serving's, and importing builds nothing."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SERVING_ONLY = {"flask", "werkzeug", "gunicorn", "gunicorn_h1c", "prometheus_client", "orjson", "service"}
TRAINING_ONLY = {"tensorflow", "keras", "tf2onnx", "onnx", "matplotlib", "tqdm", "training"}


def files_of(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"there is no package {package}"
    return found


def modules_of(package: str) -> list[str]:
    """The names of all modules of a package, but what starts it."""
    paths = [path.relative_to(ROOT).with_suffix("") for path in files_of(package) if path.stem != "__main__"]
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


def imported(path: Path) -> Iterator[str]:
    """The top-level names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield (node.module or "").partition(".")[0]


def loaded_by(modules: list[str], folder: Path) -> set[str]:
    """The top-level names in sys.modules of a new process that has imported these modules, in an empty folder."""
    code = "import sys, json, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    code += "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONVSERVE_")}
    done = subprocess.run(
        [sys.executable, "-c", code, *modules],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=True,
        text=True,
    )
    return set(json.loads(done.stdout))


def test_every_module_of_the_service_can_be_imported_where_no_model_exists(tmp_path: Path) -> None:
    loaded = loaded_by(modules_of("service"), tmp_path)

    assert "service" in loaded
    assert loaded.isdisjoint(TRAINING_ONLY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", files_of("service"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_service_imports_nothing_of_training(path: Path) -> None:
    assert set(imported(path)).isdisjoint(TRAINING_ONLY)


@pytest.mark.parametrize("path", files_of("training"), ids=lambda path: str(path.relative_to(ROOT)))
def test_training_imports_nothing_of_the_service(path: Path) -> None:
    assert set(imported(path)).isdisjoint(SERVING_ONLY)


@pytest.mark.parametrize("path", files_of("modelrepo"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_contract_needs_only_the_standard_library(path: Path) -> None:
    assert set(imported(path)) <= {*sys.stdlib_module_names, "modelrepo"}


def test_the_contract_loads_only_the_standard_library(tmp_path: Path) -> None:
    before = loaded_by([], tmp_path)

    loaded = loaded_by(modules_of("modelrepo"), tmp_path)

    assert loaded - before <= {*sys.stdlib_module_names, "modelrepo"}


def test_preprocessing_needs_only_numpy_pillow_and_the_contract() -> None:
    names = {name for path in files_of("preprocessing") for name in imported(path)}

    assert names <= {*sys.stdlib_module_names, "numpy", "PIL", "modelrepo", "preprocessing"}
