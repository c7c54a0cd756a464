import re

import pytest

from training.environment import describe_machine, describe_versions, portable_command, utc_now


def test_the_recorded_command_names_no_folder() -> None:
    typed = ["train", "mnist", "--data", "/home/somebody/mnist.npz", "--models=/srv/models", "--seed", "2"]

    assert portable_command(typed) == "python -m training train mnist --data mnist.npz --models=models --seed 2"


@pytest.mark.parametrize("numbers", ["1/255", "1/127.5", "-1/2", "1e-3/4", "1/2,1/3,0.5", "0.5,1/3"])
def test_a_fraction_is_no_folder(numbers: str) -> None:
    assert portable_command(["import", "/srv/a.onnx", "--std", numbers]).endswith(f"import a.onnx --std {numbers}")


def test_the_moment_is_in_utc() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_now())


def test_versions_and_machine_are_told() -> None:
    assert describe_versions(["onnxruntime", "numpy"]).keys() == {"python", "onnxruntime", "numpy"}
    assert describe_machine()["cores"] >= 1
