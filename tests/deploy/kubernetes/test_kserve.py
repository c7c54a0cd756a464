"""The documents for KServe, and a model served from a folder as KServe creates it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

from service.settings import PREFIX, read_settings
from tests.support.bundles.tiny import publish_tiny
from tests.support.bundles.tiny_batches import batch, expected_probabilities
from tests.support.deploy.kserve_models import undeclared_members
from tests.support.deploy.kubernetes import FOLDER
from tests.support.processes.service import running

RUNTIME = yaml.safe_load((FOLDER / "kserve" / "servingruntime.yaml").read_text())
SERVICE = yaml.safe_load((FOLDER / "kserve" / "inferenceservice.yaml").read_text())
CLAIM = yaml.safe_load((FOLDER / "overlays" / "production" / "persistentvolumeclaim.yaml").read_text())
NAME = SERVICE["metadata"]["name"]
MOUNT = "/mnt/models"
KUBERNETES_SECONDS = 30  # terminationGracePeriodSeconds of a pod that does not say otherwise


def container() -> Any:
    """The container that KServe makes of the runtime, with the InferenceService's name wherever `{{.Name}}` stands."""
    (template,) = RUNTIME["spec"]["containers"]
    return json.loads(json.dumps(template).replace("{{.Name}}", NAME))


def environment() -> dict[str, str]:
    return {each["name"]: each["value"] for each in container()["env"]}


@pytest.mark.parametrize(
    ("document", "kind"),
    [(RUNTIME, "V1alpha1ServingRuntime"), (SERVICE, "V1beta1InferenceService")],
    ids=["runtime", "service"],
)
def test_a_document_has_only_members_that_kserve_knows(document: Any, kind: str) -> None:
    assert list(undeclared_members(document, kind)) == []


def test_members_that_kserve_does_not_know_are_found() -> None:
    wrong = {"spec": {"predictor": {"model": {"storageUri": 1, "storageURI": "x"}}, "grace": 1}}

    assert sorted(undeclared_members(wrong, "V1beta1InferenceService")) == [
        "spec.grace is no member of V1beta1InferenceServiceSpec",
        "spec.predictor.model.storageURI is no member of V1beta1ModelSpec",
        "spec.predictor.model.storageUri is no str",
    ]


def test_the_runtimes_container_is_what_kubernetes_takes() -> None:
    spec = {"containers": [container()], "volumes": RUNTIME["spec"]["volumes"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}

    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


def test_the_service_asks_for_what_the_runtime_offers() -> None:
    wanted = SERVICE["spec"]["predictor"]["model"]

    assert wanted["runtime"] == RUNTIME["metadata"]["name"]
    assert wanted["modelFormat"]["name"] in {each["name"] for each in RUNTIME["spec"]["supportedModelFormats"]}
    assert wanted["protocolVersion"] in RUNTIME["spec"]["protocolVersions"]
    assert wanted["storageUri"] == f"pvc://{CLAIM['metadata']['name']}"


def test_the_pods_end_within_the_time_that_they_have_by_default() -> None:
    assert read_settings(environment()).grace_period < KUBERNETES_SECONDS


def test_a_model_is_served_from_the_folder_that_kserve_mounts(tmp_path: Path) -> None:
    publish_tiny(tmp_path, NAME)
    publish_tiny(tmp_path, "another")
    mounted = {name: value.replace(MOUNT, str(tmp_path)) for name, value in environment().items()}
    settings = {name.removeprefix(PREFIX).lower(): value for name, value in mounted.items()}
    tensor = InferInput("image", [5, 8, 8, 1], "UINT8")
    tensor.set_data_from_numpy(batch(5))

    with running(Path(settings.pop("models")), "service", None, **settings) as service:
        probes = [container()[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")]
        statuses = [service.get(probe["path"]).status for probe in probes]
        response = asyncio.run(infer(service.port, InferRequest(NAME, [tensor])))

    assert environment()[f"{PREFIX}MODELS"] == MOUNT
    assert {probe["port"] for probe in probes} == {port["containerPort"] for port in container()["ports"]} == {8000}
    assert statuses == [200, 200]
    assert response.model_name == NAME
    assert response.outputs[0].as_numpy() == pytest.approx(expected_probabilities(5), abs=1e-6)


def test_a_folder_without_the_model_is_not_ready(tmp_path: Path) -> None:
    publish_tiny(tmp_path, "another")
    with running(tmp_path) as service:
        assert service.get(container()["readinessProbe"]["httpGet"]["path"]).status == 404


async def infer(port: int, request: InferRequest) -> Any:
    config = RESTConfig(transport=httpx.AsyncHTTPTransport(), protocol="v2")
    async with InferenceRESTClient(config) as client:
        return await client.infer(f"http://127.0.0.1:{port}", request, model_name=NAME)
