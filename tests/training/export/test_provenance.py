from training.data.splits import Dataset
from training.export.publish import describe_source
from training.recipes import RECIPES


def test_a_network_trained_elsewhere_has_no_history_but_all_the_rest(dataset: Dataset) -> None:
    record = describe_source(RECIPES["mnist"], dataset, None, "python -m training export")

    assert "history" not in record
    assert {"python", "keras", "tensorflow", "tf2onnx", "onnxruntime"} <= record["versions"].keys()
    assert record["dataset"]["splits"]["test"]["sha256"] == dataset.test.digest
