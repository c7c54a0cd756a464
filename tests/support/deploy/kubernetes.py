"""The manifests in deploy/k8s, as written and as kustomize builds them."""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "k8s"
KUSTOMIZATION = "kustomization.yaml"
BUILD_SECONDS = 60.0  # kustomize takes 0.2 s here

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Objects:
    """Manifests that are applied together."""

    manifests: tuple[Manifest, ...]

    def of(self, kind: str) -> list[Manifest]:
        """All of one kind."""
        return [each for each in self.manifests if each["kind"] == kind]

    def the(self, kind: str) -> Manifest:
        """The only one of its kind; raises ValueError where there are none or more."""
        (only,) = self.of(kind)
        return only

    def pods(self) -> list[Manifest]:
        """The templates of all pods: what has a spec with containers, and labels."""
        return list(_templates(self.manifests))

    def containers(self) -> list[Manifest]:
        """The containers of all pods."""
        return [container for pod in self.pods() for container in pod["spec"]["containers"]]


def kustomizations() -> list[Path]:
    """The folders that have one."""
    return sorted(path.parent for path in FOLDER.rglob(KUSTOMIZATION))


def named(member: str) -> list[Path]:
    """The files that any kustomization names as `resources` or as `patches`."""
    files = []
    for folder in kustomizations():
        entries = yaml.safe_load((folder / KUSTOMIZATION).read_text()).get(member, [])
        paths = [folder / (entry["path"] if isinstance(entry, dict) else entry) for entry in entries]
        files += [path for path in paths if path.is_file()]
    return files


def read(folder: Path) -> Objects:
    """The manifests of a kustomization as they are written, those of other folders left out."""
    return Objects(tuple(yaml.safe_load(path.read_text()) for path in named("resources") if folder in path.parents))


@cache
def build(folder: Path) -> Objects:
    """The manifests that `kubectl kustomize` builds of a folder; raises FileNotFoundError without kubectl."""
    command = ["kubectl", "kustomize", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    if ended.returncode:
        raise ValueError(ended.stderr)
    return Objects(tuple(yaml.safe_load_all(ended.stdout)))


def deployed(objects: Objects) -> Manifest:
    """The template of the service's pods."""
    template: Manifest = objects.the("Deployment")["spec"]["template"]
    return template


def selects(selector: Manifest, labels: Manifest) -> bool:
    """Whether a selector that is not empty matches these labels."""
    return bool(selector) and selector.items() <= labels.items()


def _templates(values: Sequence[Any]) -> Iterator[Manifest]:
    for value in values:
        if not isinstance(value, dict):
            continue
        if "containers" in value.get("spec", {}) and "metadata" in value:
            yield value
        else:
            yield from _templates(list(value.values()))
