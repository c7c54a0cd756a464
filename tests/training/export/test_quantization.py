import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from training.data.splits import Dataset
from training.evaluation.onnx_inference import open_graph
from training.export.int8 import CALIBRATION, choose_images, quantize
from training.export.to_onnx import to_onnx
from training.models.architectures import Textbook
from training.models.build import build


@pytest.fixture(scope="module")
def float32() -> bytes:
    return to_onnx(build(Textbook(), (28, 28, 1), 10, "network"))


@pytest.fixture
def quantised(float32: bytes, dataset: Dataset) -> onnx.ModelProto:
    return onnx.load_from_string(quantize(float32, dataset.train.images[:]))


def test_the_graph_takes_and_gives_what_the_float_one_does(float32: bytes, quantised: onnx.ModelProto) -> None:
    before = onnx.load_from_string(float32).graph

    assert quantised.graph.input == before.input
    assert quantised.graph.output == before.output
    onnx.checker.check_model(quantised, full_check=True)


def test_any_number_of_images_is_answered_nearly_as_before(
    float32: bytes, quantised: onnx.ModelProto, dataset: Dataset
) -> None:
    images = dataset.test.images
    answered = open_graph(quantised.SerializeToString())(images)

    assert np.abs(answered - open_graph(float32)(images)).max() < 0.05
    assert np.array_equal(answered[:1], open_graph(quantised.SerializeToString())(images[:1]))


def test_weights_stay_within_seven_bits_so_that_no_processor_overflows(quantised: onnx.ModelProto) -> None:
    stored = [numpy_helper.to_array(each) for each in quantised.graph.initializer]
    weights = [array for array in stored if array.dtype == np.int8 and array.ndim > 1]

    assert len(weights) == 3
    assert max(int(np.abs(array.astype(int)).max()) for array in weights) <= 64


def test_logits_and_softmax_stay_in_float(quantised: onnx.ModelProto) -> None:
    makers = {output: node.op_type for node in quantised.graph.node for output in node.output}
    softmax = next(node for node in quantised.graph.node if node.op_type == "Softmax")

    assert makers[softmax.input[0]] == "MatMul"
    assert list(softmax.output) == ["probabilities"]


def test_nothing_is_printed(float32: bytes, dataset: Dataset, capfd: pytest.CaptureFixture[str]) -> None:
    quantize(float32, dataset.train.images[:])

    assert capfd.readouterr() == ("", "")


def test_the_seed_chooses_the_training_images(dataset: Dataset) -> None:
    many = np.arange(2 * CALIBRATION, dtype=np.uint16).view(np.uint8).reshape(-1, 1, 1, 2)
    train = type(dataset.train)(many, np.zeros(len(many), np.int64))

    first, again, other = (choose_images(train, seed) for seed in (1, 1, 2))

    assert len(np.unique(first.view(np.uint16))) == CALIBRATION
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_small_training_split_is_taken_whole(dataset: Dataset) -> None:
    assert len(choose_images(dataset.train, seed=1)) == len(dataset.train)
