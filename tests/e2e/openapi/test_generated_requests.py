"""Schemathesis makes requests from the description, right ones and wrong ones, and checks what the service answers."""

import base64
import copy
import io
from typing import Any

import hypothesis.strategies as st
import numpy as np
import schemathesis
from schemathesis.engine import Status, events, from_schema

from preprocessing.decode import FORMATS
from tests.support.processes.service import RunningService

ALWAYS_REJECTED = (
    "(?:regress|register)$|/labels/|^/v2/repository/.repository./"  # described, and never answered with 200
)
REJECTED = ["400", "401", "404", "405", "413", "415", "422"]
CONFIG = {
    "seed": 1,
    "phases": {"stateful": {"enabled": False}},  # nothing is made by one request and read by another
    "checks": {
        # The Open Inference Protocol answers 501 to what a server does not have; 503 asks to try again.
        "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "501", "503"]},
        "negative_data_rejection": {"expected-statuses": [*REJECTED, "501", "503"]},
    },
    "operations": [
        # TensorFlow Serving answers 400 to every method that it does not take.
        {"include-path-regex": "^/v1/", "checks": {"unsupported_method": {"enabled": False}}},
        # TorchServe's paths name the model, and a body that does so, too, is rejected.
        {"include-path-regex": "^/predictions/", "checks": {"positive_data_acceptance": {"enabled": False}}},
        {"include-path-regex": ALWAYS_REJECTED, "checks": {"positive_data_acceptance": {"enabled": False}}},
        # That the numbers of `shape` and of `data` belong together, and all images are of one kind, no schema can say.
        {"include-path-regex": "(/infer|:classify)$", "checks": {"positive_data_acceptance": {"enabled": False}}},
    ],
}


def load(document: dict[str, Any], port: int) -> Any:
    """The description, and what a schema cannot say: which texts and bytes are pictures, and which models there are."""
    document = copy.deepcopy(document)
    components = document["components"]
    content = components["requestBodies"]["Images"]["content"]
    picture = content["application/json"]["examples"]["one"]["value"]["image"]
    components["schemas"]["Image"]["format"] = "picture"
    components["parameters"]["Name"]["schema"]["enum"] = components["schemas"]["ModelName"]["enum"] = ["mnist"]
    components["parameters"]["Version"]["schema"]["enum"] = components["schemas"]["VersionNumber"]["enum"] = [1]
    components["parameters"]["TopK"]["schema"]["enum"] = components["schemas"]["ClassCount"]["enum"] = [1]
    components["schemas"]["Form"]["additionalProperties"] = False  # texts under other names are rejected
    for path in (path for path in document["paths"].values() if "post" in path):
        path["post"]["parameters"] = [
            each for each in path["post"].get("parameters", []) if "HeaderLength" not in each.get("$ref", "")
        ]  # where the JSON ends is no matter of a schema
    schemathesis.openapi.format("picture", st.sampled_from([picture, f"data:image/png;base64,{picture}"]))
    for media_type in ("application/octet-stream", *(each.media_type for each in FORMATS)):
        schemathesis.openapi.media_type(media_type, st.just(base64.b64decode(picture)))
    array = io.BytesIO()
    np.save(array, np.full((1, 8, 8, 1), 9, np.uint8))
    schemathesis.openapi.media_type("application/x-npy", st.just(array.getvalue()))
    config = {**CONFIG, "generation": {"max-examples": 1, "deterministic": True, "database": "none"}}
    loaded = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(config))
    loaded.config.update(base_url=f"http://127.0.0.1:{port}")
    return loaded


def problems_in(schema: Any, least: int) -> list[str]:
    """What the checks say about the answers to at least so many requests."""
    recorders = [each.recorder for each in from_schema(schema).execute() if isinstance(each, events.ScenarioFinished)]
    assert sum(len(recorder.cases) for recorder in recorders) >= least
    return [
        f"{recorder.label}: {check.failure_info and check.failure_info.failure}\n"
        f"{recorder.cases[case].value.as_curl_command()}"
        for recorder in recorders
        for case, checks in recorder.checks.items()
        for check in checks
        if check.status == Status.FAILURE
    ]


def test_the_service_does_what_the_description_says(document: dict[str, Any], described: RunningService) -> None:
    """Of paths that are described by the same words the first is tried."""
    document = copy.deepcopy(document)
    methods = {"get", "post", "put"}
    document["paths"] = {
        path: item
        for path, item in document["paths"].items()
        if not all("x-same-as" in item[method] for method in methods & item.keys())
    }

    problems = problems_in(load(document, described.port), least=500)

    assert problems == [], "\n\n".join(problems)
