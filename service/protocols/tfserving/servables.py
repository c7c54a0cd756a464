"""Servables, which are versions of models in TensorFlow Serving's words, found or refused as it does."""

from service.errors import InvalidRequest, ModelNotFound
from service.inference.model_version import LoadedVersion
from service.inference.predictor import Predictor
from service.inference.registry import ModelRegistry
from service.inference.traffic_split import Choice
from service.protocols.common import parse_version


def find_predictor(registry: ModelRegistry, name: str, version: str | None, label: str | None) -> Predictor:
    """The version that documents are about; `version` and `label` are as the client wrote them, None where it did not.

    Raises ModelNotFound or InvalidRequest.
    """
    number = _number(registry, name, version, label)
    try:
        return registry.get(name, number)
    except ModelNotFound as error:
        raise _not_found(name, number, str(error)) from error


def choose_predictor(
    registry: ModelRegistry, name: str, version: str | None, label: str | None, bucket: float
) -> Choice:
    """Who answers an inference request with this bucket (0 to 1); raises the same."""
    number = _number(registry, name, version, label)
    try:
        return registry.choose(name, number, bucket)
    except ModelNotFound as error:
        raise _not_found(name, number, str(error)) from error


def find_versions(registry: ModelRegistry, name: str, version: str | None, label: str | None) -> list[LoadedVersion]:
    """The versions, served or refused, that the client asks for, the newest first; raises the same."""
    number = _number(registry, name, version, label)
    tried = _versions(registry, name, number)
    found = [each for each in tried if number in (None, each.version)]
    if not found:
        raise _not_found(name, number, f"{name!r} has no version {number}; known are {_enumerate(tried)}")
    return found


def _number(registry: ModelRegistry, name: str, version: str | None, label: str | None) -> int | None:
    """The version's number, None where none is named. Labels are names for versions; none are kept here."""
    number = parse_version(version)
    if label is not None:
        loaded = [each for each in _versions(registry, name, None) if each.predictor]
        path = f"/v1/models/{name}/versions/<version>"
        sentence = f"this service has no labels: use {path} with one of {_enumerate(loaded)}"
        raise InvalidRequest(f"Unrecognized servable version label: {label:.60}: {sentence}")
    return number


def _versions(registry: ModelRegistry, name: str, number: int | None) -> list[LoadedVersion]:
    try:
        return registry.versions(name)[::-1]
    except ModelNotFound as error:
        raise _not_found(name, number, str(error)) from error


def _not_found(name: str, number: int | None, reason: str) -> ModelNotFound:
    servable = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return ModelNotFound(f"Servable not found for request: {servable}: {reason}")


def _enumerate(versions: list[LoadedVersion]) -> str:
    return ", ".join(str(each.version) for each in versions) or "none"
