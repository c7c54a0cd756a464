"""Which models the service is not ready without."""

from pathlib import Path

from service.lifecycle.required_models import RequiredModels


def begun(folder: Path, *names: str) -> RequiredModels:
    requirements = RequiredModels(folder)
    requirements.begin(names)
    return requirements


def test_the_models_of_the_start_are_required(tmp_path: Path) -> None:
    assert begun(tmp_path, "mnist", "colour").add([]) == {"mnist", "colour"}


def test_a_model_that_was_served_is_required_from_then_on(tmp_path: Path) -> None:
    requirements = begun(tmp_path, "mnist")

    assert requirements.add(["mnist", "late"]) == {"mnist", "late"}
    assert requirements.add(["mnist"]) == {"mnist", "late"}


def test_a_worker_that_comes_later_requires_what_the_first_did(tmp_path: Path) -> None:
    begun(tmp_path, "mnist").add(["late"])

    assert begun(tmp_path, "mnist", "broken").add([]) == {"mnist", "late"}
