import re

from training.provenance import describe_machine, describe_versions, portable_command, utc_now


def test_the_recorded_command_names_no_folder() -> None:
    typed = ["train", "mnist", "--data", "/home/somebody/mnist.npz", "--models=/srv/models", "--seed", "2"]

    assert portable_command(typed) == "python -m training train mnist --data mnist.npz --models=models --seed 2"


def test_the_moment_is_in_utc() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_now())


def test_versions_and_machine_are_told() -> None:
    assert {"python", "keras", "tensorflow", "tf2onnx", "onnxruntime"} <= describe_versions().keys()
    assert describe_machine()["cores"] >= 1
