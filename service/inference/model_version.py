"""A version of a model as one process has it: loaded, loading, failed to load, or unloaded on request."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from service.inference.predictor import Predictor


class VersionState(StrEnum):
    """Whether a version answers requests, in the words of Triton's model repository extension."""

    READY = "READY"
    LOADING = "LOADING"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True)
class LoadedVersion:
    """A version that answers requests.

    Where the files of its bundle have changed since and the new ones failed to load, `reason` and `failure` are about
    these, and the predictor is of the files before; `loading_since` is not 0 while the new ones are tried.
    """

    state: ClassVar = VersionState.READY
    name: str
    version: int
    predictor: Predictor
    reason: str = ""
    failure: str = ""
    loading_since: float = 0.0


@dataclass(frozen=True)
class PendingVersion:
    """A version whose bundle is being tried, since a time in Unix seconds."""

    state: ClassVar = VersionState.LOADING
    reason: ClassVar = "it is loading"
    failure: ClassVar = ""
    name: str
    version: int
    loading_since: float


@dataclass(frozen=True)
class FailedVersion:
    """A version whose bundle failed to load: a sentence for people, and a word for the metric."""

    state: ClassVar = VersionState.UNAVAILABLE
    loading_since: ClassVar = 0.0
    name: str
    version: int
    reason: str
    failure: str


@dataclass(frozen=True)
class UnloadedVersion:
    """A version of a model that was unloaded on request."""

    state: ClassVar = VersionState.UNAVAILABLE
    reason: ClassVar = "it was unloaded"
    failure: ClassVar = ""
    loading_since: ClassVar = 0.0
    name: str
    version: int


ModelVersion = LoadedVersion | PendingVersion | FailedVersion | UnloadedVersion
