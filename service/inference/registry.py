"""The model registry: what this process has loaded, and what it refused and why."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from modelrepo.policy import ServingPolicy
from service.errors import ModelNotFound, NotReady
from service.inference.model_version import LoadedVersion
from service.inference.predictor import Predictor
from service.inference.traffic_split import Choice, TrafficSplit, split


@dataclass(frozen=True)
class Contents:
    """All versions that were tried, by model and in ascending order, and who answers for each model that is ready.

    `problems` are sentences about what cannot be followed, by what they are about; `required` are the models without
    which the service is not ready.
    """

    models: Mapping[str, list[LoadedVersion]]
    splits: Mapping[str, TrafficSplit]
    problems: Mapping[str, str]
    required: Container[str]


class ModelRegistry:
    """What is loaded now. Its contents are replaced at once, between two requests; a request never sees half of it."""

    def __init__(self, versions: Iterable[LoadedVersion], default_model: str) -> None:
        self._default_model = default_model
        self._contents = Contents({}, {}, {}, ())
        versions = list(versions)
        self.replace(versions, ServingPolicy(1), {}, {each.name for each in versions})

    def replace(
        self,
        versions: Iterable[LoadedVersion],
        policy: ServingPolicy,
        problems: Mapping[str, str],
        required: Container[str] = (),
    ) -> Contents:
        """Serve these versions from now on, by this policy; returns what was served before."""
        models: dict[str, list[LoadedVersion]] = {}
        for each in sorted(versions, key=lambda each: (each.name, each.version)):
            models.setdefault(each.name, []).append(each)
        ready = {name: _ready(tried) for name, tried in models.items()}
        splits = {name: split(policy.of(name), served) for name, served in ready.items() if served}
        before, self._contents = self._contents, Contents(models, splits, problems, required)
        return before

    def __iter__(self) -> Iterator[LoadedVersion]:
        return chain.from_iterable(self._contents.models.values())

    def names(self) -> list[str]:
        """The models of which a version was tried, served or not."""
        return list(self._contents.models)

    def versions(self, name: str) -> list[LoadedVersion]:
        """All tried versions of a model in ascending order; raises ModelNotFound, or NotReady if it cannot be seen."""
        models = self._contents.models
        if name not in models:
            self._check_visible(name)
            raise ModelNotFound(f"there is no model {name!r}; there is {_enumerate(models)}")
        return models[name]

    def get(self, name: str | None, version: int | None) -> Predictor:
        """The predictor of a version, of the one that answers by default, or of the default model.

        Raises ModelNotFound, or NotReady where the model is in the repository and no version of it can be served.
        """
        name = name or self._default()
        split = self._split(name, version)
        if version is None:
            return split.default
        ready = _ready(self.versions(name))
        if version not in ready:
            raise ModelNotFound(f"{name!r} has no version {version}; loaded is {_enumerate(map(str, ready))}")
        return ready[version]

    def choose(self, name: str | None, version: int | None, bucket: float) -> Choice:
        """Who answers an inference request: the version that it names, else by its bucket, a number from 0 to 1.

        Raises what `get` raises.
        """
        if version is not None:
            return Choice(self.get(name, version))
        return self._split(name or self._default(), None).choose(bucket)

    @property
    def splits(self) -> Mapping[str, TrafficSplit]:
        """Who answers requests that name no version, for each model that is ready."""
        return self._contents.splits

    def refusals(self) -> dict[str, str]:
        """What was refused, and why: bundles, by name and version, and whatever cannot be followed."""
        bundles = {f"{each.name}/{each.version}": each.reason for each in self if each.failure}
        return {**bundles, **self._contents.problems}

    def problems(self) -> list[str]:
        """Why predictions of some or all models cannot be had; nothing where all is well."""
        problems = [f"no version of {name} could be loaded" for name in self.unready_models()]
        return problems if self._contents.models else ["the model repository is empty"]

    def unready_models(self) -> list[str]:
        """Models of which no version is served although the service is not ready without one."""
        refused = dict.fromkeys(each.name for each in self if each.failure)
        return [name for name in refused if name in self._contents.required and name not in self._contents.splits]

    def _split(self, name: str, version: int | None) -> TrafficSplit:
        """Who answers for a model; where nobody does, the error says whether another replica may: 404, or 503."""
        split = self._contents.splits.get(name)
        if split is None:
            tried = self.versions(name)
            reasons = _enumerate(dict.fromkeys(each.reason for each in tried))
            if any(each.failure and version in (None, each.version) for each in tried):
                sentence = f"{name!r} is in the repository, but none of its versions can be served now: {reasons}"
                raise NotReady(f"{sentence}: GET /models/{name} lists them; put a good one there, or try again")
            raise ModelNotFound(f"no version of {name!r} is loaded: {reasons}")
        return split

    def _check_visible(self, name: str) -> None:
        """Raise NotReady where it cannot be told whether the repository has this model, or what it has of it."""
        problems = self._contents.problems
        problem = problems.get(f"{name}/") or problems.get("repository")
        if problem:
            raise NotReady(f"{name!r} may be in the repository, which {problem}: GET /readyz says what is wrong")

    def _default(self) -> str:
        models, problems = self._contents.models, self._contents.problems
        if self._default_model in models or f"{self._default_model}/" in problems or not models:
            return self._default_model
        if len(models) == 1:
            return next(iter(models))
        names = _enumerate(models)
        raise ModelNotFound(f"several models are loaded, so name one: /models/<name>/predict with {names}")


def _ready(tried: Iterable[LoadedVersion]) -> dict[int, Predictor]:
    return {each.version: each.predictor for each in tried if each.predictor}


def _enumerate(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
