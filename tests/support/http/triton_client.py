"""Triton's Python client, connected to a service under test."""

from typing import Any

from numpy.typing import NDArray
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import np_to_triton_dtype

from tests.support.processes.service import RunningService


def connect(service: RunningService, connections: int = 1) -> InferenceServerClient:
    """A client with connections of its own."""
    return InferenceServerClient(f"127.0.0.1:{service.port}", concurrency=connections)


def pixels(values: NDArray[Any], *, binary: bool = True, name: str = "image") -> list[InferInput]:
    """The input that carries an array."""
    tensor = InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    return [tensor.set_data_from_numpy(values, binary_data=binary)]


def statistics(client: InferenceServerClient, name: str = "mnist", version: str = "2") -> dict[str, Any]:
    """The statistics of a version so far."""
    (found,) = client.get_inference_statistics(name, version)["model_stats"]
    return dict(found)
