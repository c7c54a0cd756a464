"""The model registry: the versions that this process has loaded, those that failed, and which of them answer."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from modelrepo.policy import SERVING, ServingPolicy
from service.errors import ModelNotFound, ModelUnavailable, RepositoryUnreadable
from service.inference.model_version import LoadedVersion, ModelVersion, VersionState
from service.inference.predictor import Predictor
from service.inference.traffic_split import Choice, TrafficSplit, split


@dataclass(frozen=True)
class RepositoryProblems:
    """What of the model repository cannot be read or followed, and why; what it held before is served on.

    `repository` is about the whole folder, `policy` about its `serving.json`, `models` about the folders of models.
    """

    repository: str = ""
    policy: str = ""
    models: Mapping[str, str] = field(default_factory=dict)

    def by_subject(self) -> dict[str, str]:
        """The reasons by what they are about: `<name>/`, `serving.json`, or `repository`."""
        whole = {SERVING: self.policy, "repository": self.repository}
        folders = {f"{name}/": reason for name, reason in self.models.items()}
        return folders | {subject: reason for subject, reason in whole.items() if reason}


NO_PROBLEMS = RepositoryProblems()


@dataclass(frozen=True)
class RegistryContents:
    """All versions by model, in ascending order, and the traffic split of each model that has a loaded one.

    `loaded` has the predictors of a model by version. `required` are the models without which the service is not ready.
    """

    models: Mapping[str, list[ModelVersion]] = field(default_factory=dict)
    loaded: Mapping[str, Mapping[int, Predictor]] = field(default_factory=dict)
    splits: Mapping[str, TrafficSplit] = field(default_factory=dict)
    problems: RepositoryProblems = NO_PROBLEMS
    required: Container[str] = ()


class ModelRegistry:
    """What is loaded now. The contents are replaced as a whole between two requests: none sees half a change."""

    def __init__(self, versions: Iterable[ModelVersion], default_model: str) -> None:
        self._default_model = default_model
        self._contents = RegistryContents()
        versions = list(versions)
        self.replace(versions, ServingPolicy(1), required={each.name for each in versions})

    def replace(
        self,
        versions: Iterable[ModelVersion],
        policy: ServingPolicy,
        problems: RepositoryProblems = NO_PROBLEMS,
        required: Container[str] = (),
    ) -> RegistryContents:
        """Serve these versions from now on, by this policy; returns what was served before."""
        models: dict[str, list[ModelVersion]] = {}
        for each in sorted(versions, key=lambda each: (each.name, each.version)):
            models.setdefault(each.name, []).append(each)
        loaded = {name: _predictors(known) for name, known in models.items()}
        splits = {name: split(policy.of(name), predictors) for name, predictors in loaded.items() if predictors}
        before, self._contents = self._contents, RegistryContents(models, loaded, splits, problems, required)
        return before

    def __iter__(self) -> Iterator[ModelVersion]:
        return chain.from_iterable(self._contents.models.values())

    @property
    def contents(self) -> RegistryContents:
        """What is in effect at this moment."""
        return self._contents

    @property
    def splits(self) -> Mapping[str, TrafficSplit]:
        """How the requests that name no version are split, for each model that has a loaded version."""
        return self._contents.splits

    def names(self) -> list[str]:
        """The models that have a version, loaded or not."""
        return list(self._contents.models)

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a model in ascending order.

        Raises ModelNotFound, or RepositoryUnreadable where it is not known whether the repository has this model.
        """
        models, problems = self._contents.models, self._contents.problems
        if name in models:
            return models[name]
        problem = problems.models.get(name) or problems.repository
        if problem:
            raise RepositoryUnreadable(f"{name!r} may be in the repository, which {problem}")
        raise ModelNotFound(f"there is no model {name!r}; there is {_enumerate(models)}")

    def loaded_versions(self, name: str) -> list[int]:
        """The versions of a model that are loaded, in ascending order."""
        return list(self._contents.loaded.get(name, ()))

    def get(self, name: str | None, version: int | None) -> Predictor:
        """The predictor of a version; without `version` that of the default one, without `name` of the default model.

        Raises ModelNotFound, or NotReady where the model is in the repository and no version of it is loaded.
        """
        name = name or self._default()
        split = self._split(name, version)
        if version is None:
            return split.default
        loaded = self._contents.loaded[name]
        if version not in loaded:
            raise ModelNotFound(f"{name!r} has no version {version}; loaded is {_enumerate(map(str, loaded))}")
        return loaded[version]

    def choose(self, name: str | None, version: int | None, bucket: float) -> Choice:
        """The versions for an inference request: exactly the one that it names, else by its bucket, from 0 to 1.

        Raises what `get` raises.
        """
        if version is not None:
            return Choice(self.get(name, version))
        return self._split(name or self._default(), None).choose(bucket)

    def load_failures(self) -> dict[str, str]:
        """Why bundles failed to load, by `<name>/<version>`, and why parts of the repository cannot be read."""
        bundles = {f"{each.name}/{each.version}": each.reason for each in self if each.failure}
        return bundles | self._contents.problems.by_subject()

    def _split(self, name: str, version: int | None) -> TrafficSplit:
        """The traffic split of a model. Without one the error says whether another replica may have it: 503, or 404."""
        split = self._contents.splits.get(name)
        if split is None:
            known = self.versions(name)
            reasons = _enumerate(dict.fromkeys(each.reason for each in known))
            may_come = [each for each in known if each.failure or each.state == VersionState.LOADING]
            if any(version in (None, each.version) for each in may_come):
                sentence = f"{name!r} is in the repository, but none of its versions can be served now: {reasons}"
                raise ModelUnavailable(sentence, name)
            raise ModelNotFound(f"no version of {name!r} is loaded: {reasons}")
        return split

    def _default(self) -> str:
        models, unreadable = self._contents.models, self._contents.problems.models
        if self._default_model in models or self._default_model in unreadable or not models:
            return self._default_model
        if len(models) == 1:
            return next(iter(models))
        raise ModelNotFound(f"several models are loaded, so name one: there is {_enumerate(models)}")


def _predictors(versions: Iterable[ModelVersion]) -> dict[int, Predictor]:
    return {each.version: each.predictor for each in versions if isinstance(each, LoadedVersion)}


def _enumerate(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
