from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from modelrepo.errors import VersionExists
from modelrepo.metadata import InputSpec, OutputSpec
from modelrepo.reader import Bundle, read_bundle
from modelrepo.repository import ModelRepository
from tests.support.bundles.third_party import Kind, classifier
from training.errors import InvalidData, InvalidModel
from training.evaluation.onnx_inference import open_bundle
from training.evaluation.verify import replay_bundle
from training.onnx_import.importer import choose_tolerance, import_model
from training.onnx_import.options import ImportOptions


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "Tiny_Net.onnx"
    path.write_bytes(classifier().SerializeToString())
    return path


def imported(path: Path, repository: ModelRepository, **choices: Any) -> Bundle:
    options = ImportOptions(**{"preset": "imagenet", **choices})
    return read_bundle(import_model(path, options, repository, "python -m training import"))


def test_the_metadata_describes_the_graphs_input_output_and_origin(path: Path, repository: ModelRepository) -> None:
    bundle = imported(path, repository)

    metadata = bundle.metadata
    assert (metadata.name, metadata.version, metadata.labels) == ("tiny_net", 1, tuple("01234"))
    assert metadata.input == InputSpec("input.1", "float32", "NCHW", None, 16, 16, 3)
    assert metadata.output == OutputSpec("495", "float32", "logits", 5)
    assert metadata.training["imported"]["producer"] == "pytorch 2.4.0"
    assert metadata.training["versions"].keys() == {"python", "onnx", "onnxruntime", "numpy", "pillow"}
    assert metadata.evaluation == {}
    assert bundle.model.read_bytes() == path.read_bytes()


def test_its_golden_images_replay(path: Path, repository: ModelRepository) -> None:
    bundle = imported(path, repository, color="bgr")

    replayed = replay_bundle(bundle, open_bundle(bundle))

    assert (replayed.images, replayed.largest_difference) == (8, 0)
    assert len({image.probabilities for image in bundle.golden.images}) == 8


def test_versions_count_on_and_are_never_overwritten(path: Path, repository: ModelRepository) -> None:
    imported(path, repository, version=5)

    assert imported(path, repository).metadata.version == 6
    with pytest.raises(VersionExists):
        imported(path, repository, version=5)


def test_options_are_written_to_the_metadata(path: Path, repository: ModelRepository, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("a\nb\nc\nd\ne\n")

    told = imported(path, repository, name="mine", class_names=tmp_path / "names", description="Five letters").metadata

    assert (told.name, told.labels, told.description) == ("mine", tuple("abcde"), "Five letters")


def test_a_file_whose_name_no_model_can_have_needs_another(path: Path, repository: ModelRepository) -> None:
    named = path.rename(path.with_name("net v1.0.onnx"))

    with pytest.raises(InvalidModel, match=r"'net v1\.0' cannot be a model's name, .* give --name"):
        imported(named, repository)


def test_a_failure_leaves_nothing(path: Path, repository: ModelRepository, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("a\nb\n")

    with pytest.raises(InvalidData):
        imported(path, repository, class_names=tmp_path / "names")

    assert repository.names() == []
    assert not repository.root.exists() or list(repository.root.iterdir()) == []


def test_an_old_file_that_lists_its_weights_among_the_inputs_is_understood(
    path: Path, repository: ModelRepository
) -> None:
    old = classifier()
    old.ir_version, old.opset_import[0].version = 3, 9
    weights = old.graph.initializer
    old.graph.input.extend(helper.make_tensor_value_info(each.name, each.data_type, each.dims) for each in weights)
    path.write_bytes(old.SerializeToString())

    assert imported(path, repository).metadata.parameters.total == 1765


def test_a_graph_that_ends_in_a_softmax_has_probabilities(path: Path, repository: ModelRepository) -> None:
    path.write_bytes(classifier(Kind(ending=("Softmax",))).SerializeToString())

    bundle = imported(path, repository)

    assert bundle.metadata.output.kind == "probabilities"
    assert sum(bundle.golden.images[0].probabilities) == pytest.approx(1, abs=1e-5)


def test_the_tolerance_is_finer_where_many_classes_share_the_probability() -> None:
    sure = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)

    assert choose_tolerance(sure) == 1e-4
    assert choose_tolerance(np.array([[1e-3, 1e-3], [2e-3, 1e-3]], np.float32)) == pytest.approx(1e-5)
    assert choose_tolerance(np.full((8, 1000), 1e-3, np.float32)) == 1e-7
