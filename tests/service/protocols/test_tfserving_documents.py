"""Status and signature of models, in TensorFlow Serving's words."""

from service.codecs.limits import Limits
from service.inference.model_version import FailedVersion, LoadedVersion
from service.inference.predictor import Predictor
from service.inference.runtime import ModelOutputs
from service.protocols.tfserving.responses import describe_metadata, describe_versions
from tests.support.bundles.tiny import tiny_metadata

SERVED = LoadedVersion("tiny", 1, Predictor(tiny_metadata("tiny"), "", ModelOutputs, Limits(1, 1, 1)))
FAILED = FailedVersion("tiny", 2, "model.onnx is damaged", "corrupt")


def test_every_version_has_its_state_and_why_it_failed() -> None:
    assert describe_versions([FAILED, SERVED]) == {
        "model_version_status": [
            {
                "version": "2",
                "state": "END",
                "status": {"error_code": "FAILED_PRECONDITION", "error_message": "model.onnx is damaged"},
            },
            {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}},
        ],
    }


def test_the_signature_has_the_models_tensors() -> None:
    document = describe_metadata(tiny_metadata("tiny", 3, mode="rgb"))

    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert document["model_spec"] == {"name": "tiny", "signature_name": "", "version": "3"}
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"] == {
        "image": {
            "dtype": "DT_UINT8",
            "tensor_shape": {
                "dim": [{"size": size, "name": ""} for size in ("-1", "8", "8", "3")],
                "unknown_rank": False,
            },
            "name": "image",
        }
    }
    assert signature["outputs"] == {
        "probabilities": {
            "dtype": "DT_FLOAT",
            "tensor_shape": {"dim": [{"size": size, "name": ""} for size in ("-1", "3")], "unknown_rank": False},
            "name": "probabilities",
        }
    }
