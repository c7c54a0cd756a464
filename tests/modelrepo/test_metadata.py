"""metadata.json as values: what is written is what is read, and every wrong field is named."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from modelrepo.errors import InvalidMetadata
from modelrepo.metadata import FileRecord, InputSpec, Layer, Metadata, Preprocessing, parse_metadata
from tests.support.bundles.tiny import PREPROCESSING, tiny_metadata

FILES = {"model.onnx": FileRecord("ab" * 32, 1000), "golden/00.png": FileRecord("cd" * 32, 0)}
Document = dict[str, Any]


def document(**changes: Any) -> Document:
    """A valid document, as a file would hold it."""
    text = json.dumps(tiny_metadata("tiny", files=FILES, **changes).to_json())
    decoded: Document = json.loads(text)
    return decoded


def test_metadata_survives_being_written_and_read() -> None:
    written = tiny_metadata(
        "tiny", version=7, mode="rgb", files=FILES, training={"seed": 1}, evaluation={"accuracy": 0.5}
    )

    read = parse_metadata(json.loads(json.dumps(written.to_json())))

    assert read == written


def test_what_a_model_from_elsewhere_needs_survives_too() -> None:
    spec = InputSpec("data", "float32", "NCHW", 8, 224, 200, 3)
    rules = Preprocessing(
        **{**vars(PREPROCESSING), "mode": "rgb", "channel_order": "bgr", "mean": (5, 4, 3), "std": (1, 2, 3)}
    )
    layer = Layer("conv", "Conv2D", (None, 8, 8, 4), 40, 9, "relu", 4, (3, 3), (2, 2), (1, 1), "same")
    written = tiny_metadata("tiny", mode="rgb", input=spec, preprocessing=rules, layers=(layer,), files=FILES)

    read = parse_metadata(json.loads(json.dumps(written.to_json())))

    assert read == written


@pytest.mark.parametrize("threshold", [1, 0.8, 0.8765432238578796, 5e-324, None])
def test_the_threshold_below_which_a_model_abstains_survives_to_the_last_bit(threshold: float | None) -> None:
    written = document()
    written["output"]["abstain_below"] = threshold

    read = parse_metadata(written)

    assert read.output.abstain_below == threshold
    assert parse_metadata(json.loads(json.dumps(read.to_json()))) == read


def test_the_outlier_output_and_its_threshold_survive_to_the_last_bit() -> None:
    written = document()
    written["output"] |= {"outlier_output": "outlier_score", "outlier_above": -0.8765432238578796}

    read = parse_metadata(written)

    assert (read.output.outlier_output, read.output.outlier_above) == ("outlier_score", -0.8765432238578796)
    assert parse_metadata(json.loads(json.dumps(read.to_json()))) == read


@pytest.mark.parametrize(
    ("members", "abstains"),
    [({}, False), ({"abstain_below": 0.5}, True), ({"outlier_output": "score", "outlier_above": 1}, True)],
    ids=["neither", "a probability", "an outlier score"],
)
def test_a_model_abstains_by_either_threshold(members: dict[str, Any], abstains: bool) -> None:
    written = document()
    written["output"] |= members

    assert parse_metadata(written).output.abstains is abstains


def test_members_that_say_nothing_are_not_written() -> None:
    written = document()

    assert "filters" not in written["layers"][0]
    assert written["preprocessing"].keys().isdisjoint({"channel_order", "scale", "mean", "std"})
    assert written["output"].keys().isdisjoint({"abstain_below", "outlier_output", "outlier_above"})


def test_a_free_batch_axis_is_written_as_null() -> None:
    written = document()

    assert written["input"]["batch"] is None
    assert written["layers"][0]["output_shape"] == [None, 64]


def put(path: str, value: Any) -> Callable[[Document], None]:
    """A change of one member, by its path with dots."""

    def change(written: Document) -> None:
        *parents, last = path.split(".")
        target: Any = written
        for name in parents:
            target = target[int(name)] if name.isdigit() else target[name]
        target[last] = value

    return change


def drop(path: str) -> Callable[[Document], None]:
    """The removal of one member."""

    def change(written: Document) -> None:
        *parents, last = path.split(".")
        target: Any = written
        for name in parents:
            target = target[name]
        del target[last]

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param(drop("schema"), "schema", id="no schema"),
        pytest.param(put("schema", 2), "schema", id="schema of a later release"),
        pytest.param(drop("name"), "name", id="no name"),
        pytest.param(put("name", "../mnist"), "name", id="name that leaves the folder"),
        pytest.param(put("name", "MNIST"), "name", id="name in capitals"),
        pytest.param(put("name", ""), "name", id="empty name"),
        pytest.param(put("name", "a" * 65), "name", id="long name"),
        pytest.param(put("version", 0), "version", id="version 0"),
        pytest.param(put("version", "1"), "version", id="version as text"),
        pytest.param(put("version", True), "version", id="version true"),
        pytest.param(put("version", 1.0), "version", id="version with a fraction"),
        pytest.param(put("created", 5), "created", id="created as a number"),
        pytest.param(put("description", None), "description", id="no description"),
        pytest.param(put("input", []), "input", id="input as an array"),
        pytest.param(put("input.name", ""), "input.name", id="input without a name"),
        pytest.param(put("input.dtype", "int8"), "input.dtype", id="unknown dtype"),
        pytest.param(put("input.layout", "HWC"), "input.layout", id="unknown layout"),
        pytest.param(put("input.batch", 0), "input.batch", id="batch of 0"),
        pytest.param(put("input.height", -1), "input.height", id="negative height"),
        pytest.param(put("input.width", "8"), "input.width", id="width as text"),
        pytest.param(put("input.channels", 2), "preprocessing.mode", id="channels that no mode gives"),
        pytest.param(put("preprocessing.mode", "cmyk"), "preprocessing.mode", id="unknown mode"),
        pytest.param(put("preprocessing.mode", "rgb"), "preprocessing.mode", id="mode of other channels"),
        pytest.param(put("preprocessing.fit", ["pad"]), "preprocessing.fit", id="fit as an array"),
        pytest.param(put("preprocessing.interpolation", "cubic"), "preprocessing.interpolation", id="interpolation"),
        pytest.param(put("preprocessing.alpha", "red"), "preprocessing.alpha", id="unknown alpha"),
        pytest.param(put("preprocessing.ink", "false"), "preprocessing.ink", id="boolean as text"),
        pytest.param(put("preprocessing.exif_orientation", 1), "preprocessing.exif_orientation", id="boolean as 1"),
        pytest.param(put("preprocessing.channel_order", "bgr"), "preprocessing.channel_order", id="bgr in grayscale"),
        pytest.param(put("preprocessing.channel_order", "gbr"), "preprocessing.channel_order", id="unknown order"),
        pytest.param(put("preprocessing.scale", "1/255"), "preprocessing.scale", id="scale as text"),
        pytest.param(put("preprocessing.scale", float("nan")), "preprocessing.scale", id="scale NaN"),
        pytest.param(put("preprocessing.scale", 10**400), "preprocessing.scale", id="scale beyond every float"),
        pytest.param(put("preprocessing.mean", 0.5), "preprocessing.mean", id="mean not an array"),
        pytest.param(put("preprocessing.mean", [0.5, 0.5]), "preprocessing.mean", id="mean of two channels"),
        pytest.param(put("preprocessing.mean", [None]), "preprocessing.mean[0]", id="mean of nothing"),
        pytest.param(put("preprocessing.std", [0]), "preprocessing.std", id="division by zero"),
        pytest.param(put("output.dtype", "float16"), "output.dtype", id="output of float16"),
        pytest.param(put("output.kind", "scores"), "output.kind", id="unknown kind of output"),
        pytest.param(put("output.classes", 4), "labels", id="fewer labels than classes"),
        pytest.param(put("output.abstain_below", 0), "output.abstain_below", id="threshold that nothing is below"),
        pytest.param(put("output.abstain_below", 1.01), "output.abstain_below", id="threshold above 1"),
        pytest.param(put("output.abstain_below", 80), "output.abstain_below", id="threshold in per cent"),
        pytest.param(put("output.outlier_above", 1), "output.outlier_above", id="outlier threshold of no output"),
        pytest.param(put("output.outlier_output", "score"), "output.outlier_above", id="outlier output unused"),
        pytest.param(
            put("output.outlier_output", "probabilities"), "output.outlier_output", id="outlier output is the output"
        ),
        pytest.param(put("output.abstain_below", "0.8"), "output.abstain_below", id="threshold as text"),
        pytest.param(put("output.abstain_below", True), "output.abstain_below", id="threshold true"),
        pytest.param(put("output.abstain_below", float("nan")), "output.abstain_below", id="threshold NaN"),
        pytest.param(put("labels", "abc"), "labels", id="labels as one text"),
        pytest.param(put("labels", ["a", "b", 3]), "labels[2]", id="label as a number"),
        pytest.param(put("layers.1.type", None), "layers[1].type", id="layer without a type"),
        pytest.param(put("layers.0.output_shape", [None, -1]), "layers[0].output_shape[1]", id="negative length"),
        pytest.param(put("layers.0.parameters", -1), "layers[0].parameters", id="negative parameters"),
        pytest.param(put("layers", [1]), "layers[0]", id="layer as a number"),
        pytest.param(drop("parameters.total"), "parameters.total", id="no total"),
        pytest.param(put("training", []), "training", id="training as an array"),
        pytest.param(drop("files"), "files", id="no files"),
        pytest.param(put("files", {}), "files", id="no model.onnx"),
        pytest.param(put("files", {"../x": {"sha256": "a", "size": 1}}), "files.../x", id="file outside the bundle"),
        pytest.param(put("files", {"/x": {"sha256": "a", "size": 1}}), "files./x", id="absolute file"),
        pytest.param(put("files", {"a": {"sha256": "a", "size": -1}}), "files.a.size", id="negative size"),
        pytest.param(put("files", {"a": {"size": 1}}), "files.a.sha256", id="no digest"),
    ],
)
def test_a_wrong_field_is_named(change: Callable[[Document], None], field: str) -> None:
    written = document()
    change(written)

    with pytest.raises(InvalidMetadata) as raised:
        parse_metadata(written)

    assert raised.value.field == field
    assert str(raised.value).startswith(f"metadata.json: {field}: ")


@pytest.mark.parametrize("written", [None, 1, "text", [], [{}]], ids=repr)
def test_a_document_that_is_no_object_is_refused(written: object) -> None:
    with pytest.raises(InvalidMetadata, match="must be an object"):
        parse_metadata(written)


def test_unknown_members_of_later_releases_are_ignored() -> None:
    written = document()
    written["licence"] = "CC0"

    read = parse_metadata(written)

    assert isinstance(read, Metadata)
