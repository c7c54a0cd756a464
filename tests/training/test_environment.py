import re

from training.environment import describe_machine, describe_versions, portable_command, utc_now


def test_the_recorded_command_names_no_folder() -> None:
    typed = ["train", "mnist", "--data", "/home/somebody/mnist.npz", "--models=/srv/models", "--seed", "2"]

    assert portable_command(typed) == "python -m training train mnist --data mnist.npz --models=models --seed 2"


def test_a_fraction_is_no_folder() -> None:
    assert portable_command(["import", "/srv/a.onnx", "--scale", "1/255"]).endswith("import a.onnx --scale 1/255")


def test_the_moment_is_in_utc() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_now())


def test_versions_and_machine_are_told() -> None:
    assert describe_versions(["onnxruntime", "numpy"]).keys() == {"python", "onnxruntime", "numpy"}
    assert describe_machine()["cores"] >= 1
