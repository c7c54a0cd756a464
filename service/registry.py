"""The model registry: what this process has loaded, and what it refused and why."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from modelrepo.errors import InvalidMetadata, RepositoryError
from modelrepo.reader import Bundle, read_version
from modelrepo.repository import ModelRepository
from service.errors import ModelNotFound
from service.predictor import Predictor
from service.runtime import UnusableGraph
from service.verification import WrongAnswers, replay
from service.warmup import warm_up

logger = logging.getLogger("convserve")

READY, UNAVAILABLE = "READY", "UNAVAILABLE"

Opener = Callable[[Bundle], Predictor]


@dataclass(frozen=True)
class LoadedVersion:
    """A version that is served (`predictor`) or was refused (`reason`, `failure`: a word for the metric)."""

    name: str
    version: int
    predictor: Predictor | None
    reason: str = ""
    failure: str = ""

    @property
    def state(self) -> str:
        """READY or UNAVAILABLE, the words of the repository protocol."""
        return READY if self.predictor else UNAVAILABLE


class ModelRegistry:
    """All versions that were tried, by name and number; the highest that is ready is a model's default."""

    def __init__(self, versions: Iterable[LoadedVersion], default_model: str) -> None:
        self._models: dict[str, list[LoadedVersion]] = {}
        for each in sorted(versions, key=lambda each: (each.name, each.version)):
            self._models.setdefault(each.name, []).append(each)
        self._default_model = default_model

    def __iter__(self) -> Iterator[LoadedVersion]:
        return chain.from_iterable(self._models.values())

    def names(self) -> list[str]:
        """The models of which a version was tried, served or not."""
        return list(self._models)

    def versions(self, name: str) -> list[LoadedVersion]:
        """All tried versions of a model in ascending order; raises ModelNotFound."""
        if name not in self._models:
            raise ModelNotFound(f"there is no model {name!r}; there is {_enumerate(self._models)}")
        return self._models[name]

    def get(self, name: str | None, version: int | None) -> Predictor:
        """The predictor of a version, of the newest one, or of the default model; raises ModelNotFound."""
        name = name or self._default()
        ready = {each.version: each.predictor for each in self.versions(name) if each.predictor}
        if not ready:
            raise ModelNotFound(f"no version of {name!r} could be loaded: GET /models/{name} says why")
        if version is None:
            return ready[max(ready)]
        if version not in ready:
            numbers = _enumerate(str(number) for number in sorted(ready))
            raise ModelNotFound(f"{name!r} has no version {version}; loaded is {numbers}")
        return ready[version]

    def problems(self) -> list[str]:
        """Why predictions of some or all models cannot be had; nothing where all is well."""
        problems = [f"no version of {name} could be loaded" for name in self.unready_models()]
        return problems if self._models else ["the model repository is empty"]

    def unready_models(self) -> list[str]:
        """Models of which no version is served."""
        ready = {each.name for each in self if each.predictor}
        return [name for name in self.names() if name not in ready]

    def _default(self) -> str:
        if self._default_model in self._models or not self._models:
            return self._default_model
        if len(self._models) == 1:
            return next(iter(self._models))
        names = _enumerate(self._models)
        raise ModelNotFound(f"several models are loaded, so name one: /models/<name>/predict with {names}")


def load_registry(repository: ModelRepository, newest: int, default_model: str, open_bundle: Opener) -> ModelRegistry:
    """Load and verify the `newest` versions of every model; what fails is kept with its reason, and is not served."""
    wanted = [(name, version) for name in repository.names() for version in repository.versions(name)[-newest:]]
    return ModelRegistry([_load(repository, name, version, open_bundle) for name, version in wanted], default_model)


def _load(repository: ModelRepository, name: str, version: int, open_bundle: Opener) -> LoadedVersion:
    try:
        bundle = read_version(repository, name, version)
        predictor = open_bundle(bundle)
        replay(bundle.golden, predictor)
        warm_up(predictor)
    except Exception as error:  # whatever is wrong with one bundle, the others are served
        failure = _failure_word(error)
        logger.warning("refused %s version %s: %s", name, version, error, exc_info=failure == "unexpected")
        return LoadedVersion(name, version, None, str(error), failure)
    return LoadedVersion(name, version, predictor)


def _failure_word(error: Exception) -> str:
    kinds: dict[type[Exception], str] = {
        InvalidMetadata: "metadata",
        RepositoryError: "corrupt",
        OSError: "unreadable",
        UnusableGraph: "graph",
        WrongAnswers: "golden",
    }
    return next((word for kind, word in kinds.items() if isinstance(error, kind)), "unexpected")


def _enumerate(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
