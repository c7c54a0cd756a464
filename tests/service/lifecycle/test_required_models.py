"""Which models the service is not ready without."""

from pathlib import Path

from service.lifecycle.planner import RequiredModels


def begun(folder: Path, *names: str) -> RequiredModels:
    required = RequiredModels(folder)
    required.begin(names)
    return required


def test_the_models_of_the_start_are_required(tmp_path: Path) -> None:
    assert begun(tmp_path, "mnist", "colour").add([]) == {"mnist", "colour"}


def test_a_model_that_was_served_is_required_from_then_on(tmp_path: Path) -> None:
    required = begun(tmp_path, "mnist")

    assert required.add(["mnist", "late"]) == {"mnist", "late"}
    assert required.add(["mnist"]) == {"mnist", "late"}


def test_a_worker_that_comes_later_requires_what_the_first_did(tmp_path: Path) -> None:
    begun(tmp_path, "mnist").add(["late"])

    assert begun(tmp_path, "mnist", "broken").add([]) == {"mnist", "late"}
