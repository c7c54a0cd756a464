"""The manifests for Kubernetes, checked without a cluster: by its schemas and against each other."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import SchemaNotFoundError

from service.settings import Settings
from tests.support.deploy.kubernetes import FOLDER, Objects, build, deployed, kustomizations, named, selects

ROOT = FOLDER.parent.parent
CUSTOM = {"ServiceMonitor", "ServingRuntime", "InferenceService"}  # kinds that operators bring, with no schema at hand
VERSIONS = ["1.30", kubernetes_validate.latest_version()]  # the oldest that is promised, and the newest


def relative(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def validate(manifest: Any) -> None:
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("path", named("resources"), ids=relative)
def test_a_manifest_is_what_kubernetes_takes(path: Path) -> None:
    manifest = yaml.safe_load(path.read_text())

    if manifest["kind"] in CUSTOM:
        with pytest.raises(SchemaNotFoundError):
            validate(manifest)
    else:
        validate(manifest)


def test_what_is_built_is_what_kubernetes_takes(objects: Objects) -> None:
    for manifest in objects.manifests:
        if manifest["kind"] not in CUSTOM:
            validate(manifest)


@pytest.mark.parametrize("path", named("resources"), ids=relative)
def test_a_file_holds_one_object_and_is_named_by_its_kind(path: Path) -> None:
    (manifest,) = yaml.safe_load_all(path.read_text())

    assert path.stem == manifest["kind"].lower()


def test_every_file_is_used() -> None:
    used = {*named("resources"), *named("patches"), *(folder / "kustomization.yaml" for folder in kustomizations())}

    assert {path.resolve() for path in FOLDER.rglob("*.yaml")} - {path.resolve() for path in used} == {
        FOLDER / "monitoring" / "prometheus-adapter.yaml"  # values for a Helm chart
    }


@pytest.mark.parametrize("folder", [path for path in kustomizations() if path.name != "monitoring"], ids=relative)
def test_an_image_has_the_tag_of_this_version(folder: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl, which sets the tags")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    images = re.findall(r"'image': '([^']+)'", str(build(folder).manifests))

    assert images
    assert {image.partition(":")[2] for image in images} == {version}


def test_selectors_select_the_pods_of_the_service_and_no_other(objects: Objects) -> None:
    ours, labels = deployed(objects), deployed(objects)["metadata"]["labels"]
    selectors = [
        objects.the("Deployment")["spec"]["selector"]["matchLabels"],
        objects.the("Service")["spec"]["selector"],
        objects.the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        objects.the("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in ours["spec"]["topologySpreadConstraints"]),
    ]
    others = [pod["metadata"]["labels"] for pod in objects.pods() if pod is not ours]

    assert len(selectors) == 6
    assert all(selects(selector, labels) for selector in selectors)
    assert not any(selects(selector, other) for selector in selectors for other in others)


def test_ports_are_named_as_the_container_names_them(objects: Objects) -> None:
    (container,) = deployed(objects)["spec"]["containers"]
    probes = [container[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    asked = [
        *(port["targetPort"] for port in objects.the("Service")["spec"]["ports"]),
        *(port["port"] for rule in objects.the("NetworkPolicy")["spec"]["ingress"] for port in rule["ports"]),
        *(probe["httpGet"]["port"] for probe in probes),
    ]

    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {"http": Settings.port}
    assert asked == ["http"] * 5


def test_volumes_claims_and_accounts_are_there(objects: Objects) -> None:
    names = {
        kind: {each["metadata"]["name"] for each in objects.of(kind)}
        for kind in ("ServiceAccount", "PersistentVolumeClaim")
    }
    for pod in objects.pods():
        volumes = pod["spec"]["volumes"]
        claims = {each["persistentVolumeClaim"]["claimName"] for each in volumes if "persistentVolumeClaim" in each}
        mounts = [mount["name"] for container in pod["spec"]["containers"] for mount in container["volumeMounts"]]

        assert sorted(mounts) == sorted(each["name"] for each in volumes)
        assert claims <= names["PersistentVolumeClaim"]
        assert pod["spec"]["serviceAccountName"] in names["ServiceAccount"]


def test_the_autoscaler_alone_counts_the_pods(production: Objects) -> None:
    scaler, deployment = production.the("HorizontalPodAutoscaler")["spec"], production.the("Deployment")

    assert scaler["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "name": deployment["metadata"]["name"],
    }
    assert "replicas" not in deployment["spec"]
