"""What importing the packages loads. Who may import whom is checked by `lint-imports`, which `make lint` runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRAINING_ONLY = {"tensorflow", "keras", "tf2onnx", "onnx", "matplotlib", "tqdm", "training"}


def modules_of(package: str) -> list[str]:
    """The names of all modules of a package, except `__main__`."""
    paths = [path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / package).rglob("*.py"))]
    assert paths, f"there is no package {package}"
    return [".".join(path.parts).removesuffix(".__init__") for path in paths if path.name != "__main__"]


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
    loaded = loaded_by([*modules_of("service"), *modules_of("preprocessing")], tmp_path)

    assert {"service", "preprocessing"} <= loaded
    assert loaded.isdisjoint(TRAINING_ONLY)
    assert list(tmp_path.iterdir()) == []


def test_modelrepo_loads_only_the_standard_library(tmp_path: Path) -> None:
    before = loaded_by([], tmp_path)

    loaded = loaded_by(modules_of("modelrepo"), tmp_path)

    assert loaded - before <= {*sys.stdlib_module_names, "modelrepo"}


def test_preprocessing_loads_only_numpy_and_pillow_beside_it(tmp_path: Path) -> None:
    before = loaded_by([], tmp_path)

    loaded = loaded_by(modules_of("preprocessing"), tmp_path)

    assert loaded - before <= {*sys.stdlib_module_names, "modelrepo", "numpy", "PIL", "preprocessing"}
