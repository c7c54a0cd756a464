"""The documents about the server, a model, its configuration, its statistics and the repository."""

from typing import Any

from modelrepo.metadata import Metadata
from modelrepo.repository import MODEL
from service.inference.model_version import ModelVersion, UnloadedVersion
from service.protocols.openinference.datatypes import PIXELS, PROBABILITIES
from service.telemetry.statistics import ModelStatistics, Totals

EXTENSIONS = (
    "classification",
    "model_configuration",
    "model_repository",
    "model_repository(unload_dependents)",
    "binary_tensor_data",
    "parameters",
    "statistics",
)
PLATFORM = "onnxruntime_onnx"
NEVER = {"count": 0, "ns": 0}  # there is no cache

Document = dict[str, Any]


def describe_server(version: str) -> Document:
    """Name, version and extensions of the server."""
    return {"name": "convserve", "version": version, "extensions": EXTENSIONS}


def describe_model(metadata: Metadata, versions: list[int]) -> Document:
    """A model's tensors: pixels in, whatever the graph behind the preprocessing contract takes, probabilities out."""
    spec = metadata.input
    pixels = {"name": spec.name, "datatype": PIXELS, "shape": [-1, spec.height, spec.width, spec.channels]}
    scores = {"name": metadata.output.name, "datatype": PROBABILITIES, "shape": [-1, metadata.output.classes]}
    tensors = {"inputs": [pixels], "outputs": [scores]}
    return {"name": metadata.name, "versions": list(map(str, versions)), "platform": PLATFORM, **tensors}


def describe_config(metadata: Metadata, versions: list[int], max_batch_size: int, instances: int) -> Document:
    """Triton's model configuration, with every member that Triton prints: its default where it has no meaning here.

    (`protobuf/model_config.proto` of triton-inference-server/common: all but messages that are not set.) Dimensions are
    without the batch axis.
    """
    spec = metadata.input
    return {
        "name": metadata.name,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "runtime": "",
        "version_policy": {"specific": {"versions": versions}},
        "max_batch_size": max_batch_size,
        "input": [
            {
                "name": spec.name,
                "data_type": f"TYPE_{PIXELS}",
                "format": "FORMAT_NHWC",
                "dims": [spec.height, spec.width, spec.channels],
                "is_shape_tensor": False,
                "allow_ragged_batch": False,
                "optional": False,
                "is_non_linear_format_io": False,
            }
        ],
        "output": [
            {
                "name": metadata.output.name,
                "data_type": f"TYPE_{PROBABILITIES}",
                "dims": [metadata.output.classes],
                "label_filename": "",
                "is_shape_tensor": False,
                "is_non_linear_format_io": False,
            }
        ],
        "batch_input": [],
        "batch_output": [],
        "optimization": {
            "priority": "PRIORITY_DEFAULT",
            "input_pinned_memory": {"enable": False},
            "output_pinned_memory": {"enable": False},
            "gather_kernel_buffer_threshold": 0,
            "eager_batching": False,
        },
        "instance_group": [
            {
                "name": metadata.name,
                "kind": "KIND_CPU",
                "count": instances,
                "gpus": [],
                "secondary_devices": [],
                "profile": [],
                "passive": False,
                "host_policy": "",
            }
        ],
        "default_model_filename": MODEL,
        "cc_model_filenames": {},
        "metric_tags": {},
        "parameters": {},
        "model_warmup": [],
    }


def describe_statistics(name: str, version: int, statistics: ModelStatistics) -> Document:
    """Counts and nanoseconds of one version; an execution is one request's whole batch."""
    total, failed = statistics.total, statistics.failed
    return {
        "name": name,
        "version": str(version),
        "last_inference": int(statistics.last * 1000),
        "inference_count": statistics.images,
        "execution_count": total.count,
        "inference_stats": {
            "success": {"count": total.count, "ns": total.nanoseconds},
            "fail": {"count": failed.count, "ns": failed.nanoseconds},
            "queue": {"count": total.count, "ns": total.queue},
            **_computing(total),
            "cache_hit": NEVER,
            "cache_miss": NEVER,
        },
        "response_stats": {},
        "batch_stats": [{"batch_size": size, **_computing(totals)} for size, totals in statistics.batches.items()],
        "memory_usage": [],
    }


def describe_state(version: ModelVersion) -> Document:
    """A row of the repository index."""
    reason = version.reason
    if isinstance(version, UnloadedVersion):
        reason += f"; POST /v2/repository/models/{version.name}/load loads it again"
    return {"name": version.name, "version": str(version.version), "state": version.state, "reason": reason}


def _computing(totals: Totals) -> Document:
    spent = {"compute_input": totals.input, "compute_infer": totals.infer, "compute_output": totals.output}
    return {name: {"count": totals.count, "ns": nanoseconds} for name, nanoseconds in spent.items()}
