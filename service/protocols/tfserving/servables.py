"""Servables: versions of models in TensorFlow Serving's words, and its errors for those that are not there."""

from service.errors import InvalidRequest, ModelNotFound
from service.inference.model_version import ModelVersion
from service.inference.predictor import Predictor
from service.inference.registry import ModelRegistry
from service.inference.traffic_split import Choice
from service.protocols.common import parse_version


def find_predictor(registry: ModelRegistry, name: str, version: str | None, label: str | None) -> Predictor:
    """The predictor that documents are about; `version` and `label` are as the client wrote them, None if it did not.

    Raises ModelNotFound, InvalidRequest, or NotReady.
    """
    number = _number(registry, name, version, label)
    try:
        return registry.get(name, number)
    except ModelNotFound as error:
        raise _not_found(name, number, str(error)) from error


def choose_predictor(
    registry: ModelRegistry, name: str, version: str | None, label: str | None, bucket: float
) -> Choice:
    """The versions for an inference request of this bucket; raises the same."""
    number = _number(registry, name, version, label)
    try:
        return registry.choose(name, number, bucket)
    except ModelNotFound as error:
        raise _not_found(name, number, str(error)) from error


def find_versions(registry: ModelRegistry, name: str, version: str | None, label: str | None) -> list[ModelVersion]:
    """The versions, loaded or not, that the client asks for, the newest first; raises the same."""
    number = _number(registry, name, version, label)
    known = _versions(registry, name, number)
    matching = [each for each in known if number in (None, each.version)]
    if not matching:
        numbers = _enumerate([each.version for each in known])
        raise _not_found(name, number, f"{name!r} has no version {number}; known are {numbers}")
    return matching


def _number(registry: ModelRegistry, name: str, version: str | None, label: str | None) -> int | None:
    """The version's number, None where none is named. Labels, TensorFlow Serving's names of versions, are not kept."""
    number = parse_version(version, least=0)
    if label is not None:
        _versions(registry, name, None)
        path = f"/v1/models/{name}/versions/<version>"
        loaded = _enumerate(registry.loaded_versions(name)[::-1])
        sentence = f"this service has no labels: use {path} with one of {loaded}"
        raise InvalidRequest(f"Unrecognized servable version label: {label:.60}: {sentence}")
    return number


def _versions(registry: ModelRegistry, name: str, number: int | None) -> list[ModelVersion]:
    try:
        return registry.versions(name)[::-1]
    except ModelNotFound as error:
        raise _not_found(name, number, str(error)) from error


def _not_found(name: str, number: int | None, reason: str) -> ModelNotFound:
    servable = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return ModelNotFound(f"Servable not found for request: {servable}: {reason}")


def _enumerate(versions: list[int]) -> str:
    return ", ".join(map(str, versions)) or "none"
