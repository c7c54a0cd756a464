"""A fixed mixture of valid and invalid requests that changes every metric of the service."""

import dataclasses
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from preprocessing.png import encode_png
from tests.support.bundles.policy import write_policy
from tests.support.bundles.special_networks import failing_graph, failing_image
from tests.support.bundles.tiny import publish_tiny, tiny_graph, tiny_metadata
from tests.support.bundles.tiny_batches import batch
from tests.support.http.raw_client import RawConnection, request
from tests.support.images.drawn import as_file, as_npy, tiny_image
from tests.support.processes.service import RunningService

PNG, TOUCHY = encode_png(tiny_image(1)), encode_png(failing_image())
LARGE = as_file(Image.new("RGB", (1700, 1700), "white"), "BMP")  # 8.7 MB: more than a shadow's copies may have
Totals = dict[str, dict[str, float]]  # requests by route and status, images by model, errors by reason


@dataclass(frozen=True)
class Sent:
    """A request, how often it is sent in a round, and how it should be counted."""

    times: int
    path: str
    body: bytes
    route: str
    status: int
    reason: str = ""  # of the error
    model: str = ""  # which classified it
    images: int = 1


REQUESTS = (
    Sent(12, "/predict", PNG, "/predict", 200, model="mnist"),
    Sent(2, "/predict", as_npy(batch(4)), "/predict", 200, model="mnist", images=4),
    Sent(1, "/predict", LARGE, "/predict", 200, model="mnist"),
    Sent(3, "/v2/models/careful/infer", PNG, "/v2/models/<name>/infer", 200, model="careful"),
    Sent(1, "/models/careful/predict", TOUCHY, "/models/<name>/predict", 200, model="careful"),
    Sent(4, "/predict", b"no image", "/predict", 400, "invalid_image"),
    Sent(1, "/models/unknown/predict", PNG, "/models/<name>/predict", 404, "model_not_found"),
    Sent(1, "/nowhere", PNG, "unmatched", 404, "route_not_found"),
    Sent(
        1,
        "/models/careful/versions/2/predict",
        TOUCHY,
        "/models/<name>/versions/<version>/predict",
        500,
        "internal_error",
    ),
)


def publish_models(models: Path) -> Path:
    """A canary, shadows that disagree and that fail, a model that always abstains, and a broken version."""
    for version, network in ((1, tiny_graph()), (2, tiny_graph(order=(1, 2, 0))), (3, tiny_graph())):
        publish_tiny(models, "mnist", version, network=network)
    (publish_tiny(models, "mnist", 4) / "model.onnx").write_bytes(b"no graph")
    careful = dataclasses.replace(tiny_metadata("careful").output, abstain_below=1.0)
    for version, network in ((1, tiny_graph()), (2, failing_graph())):
        publish_tiny(models, "careful", version, network=network, output=careful)
    policy = {"default": 1, "shadow": {"version": 2, "share": 1}}
    canary = {"version": 3, "share": 0.5}
    write_policy(models, {"models": {"mnist": {**policy, "canary": canary}, "careful": policy}})
    return models


def send_round(service: RunningService) -> None:
    """Send every request over a connection of its own, eight at a time, so that all workers get some."""

    def send(sent: Sent) -> int:
        headers = {"inference_header_content_length": "0"} if sent.path.endswith("/infer") else {}
        with RawConnection(service.port) as connection:
            connection.send(request("POST", sent.path, sent.body, **headers))
            return connection.response().status

    every = [sent for sent in REQUESTS for _ in range(sent.times)]
    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(send, every)) == [sent.status for sent in every]


def expected_totals(rounds: int) -> Totals:
    """The counts that are expected after so many rounds."""
    totals: dict[str, Counter[str]] = {"requests": Counter(), "images": Counter(), "errors": Counter()}
    for sent in REQUESTS:
        count = rounds * sent.times
        totals["requests"][f"{sent.route} {sent.status}"] += count
        if sent.model:
            totals["images"][sent.model] += count * sent.images
        if sent.reason:
            totals["errors"][sent.reason] += count
    return {name: dict(total) for name, total in totals.items()}
