"""The model registry: which version answers, and which error says why none does."""

import pytest

from modelrepo.policy import ModelPolicy, ServingPolicy, Share
from service.errors import ModelNotFound, NotReady
from service.inference.model_version import FailedVersion, LoadedVersion, ModelVersion, UnloadedVersion
from service.inference.registry import ModelRegistry, RepositoryProblems
from tests.support.bundles.fake_predictors import predictor


def ready(name: str, *versions: int) -> list[ModelVersion]:
    return [LoadedVersion(name, version, predictor(name, version)) for version in versions]


FAILED = FailedVersion("mnist", 3, "model.onnx is missing", "corrupt")
UNREADABLE = "cannot be read: no permission"
NONE_CAN_BE_SERVED = "'mnist' is in the repository, but none of its versions can be served now"
UNLOADED = UnloadedVersion("mnist", 3)


def test_the_newest_version_answers() -> None:
    registry = ModelRegistry(ready("mnist", 10, 2), "mnist")

    assert registry.get("mnist", None).metadata.version == 10
    assert registry.get("mnist", 2).metadata.version == 2


def test_the_error_for_a_version_that_is_not_loaded_lists_those_that_are() -> None:
    registry = ModelRegistry(ready("mnist", 2, 10), "mnist")

    with pytest.raises(ModelNotFound, match="'mnist' has no version 1; loaded is 2, 10"):
        registry.get("mnist", 1)


def test_a_failed_version_leaves_the_others_serving() -> None:
    registry = ModelRegistry([*ready("mnist", 1, 2), FAILED], "mnist")

    assert registry.get("mnist", None).metadata.version == 2
    assert registry.load_failures() == {"mnist/3": "model.onnx is missing"}


def test_a_model_without_a_version_that_is_served_says_why() -> None:
    registry = ModelRegistry([FAILED], "mnist")

    with pytest.raises(NotReady, match=rf"^{NONE_CAN_BE_SERVED}: model\.onnx is missing$"):
        registry.get("mnist", None)


def test_a_model_that_was_unloaded_is_no_failure() -> None:
    registry = ModelRegistry([UNLOADED, *ready("other", 1)], "mnist")

    assert registry.load_failures() == {}
    with pytest.raises(ModelNotFound, match="no version of 'mnist' is loaded: it was unloaded"):
        registry.get("mnist", None)


def test_without_a_name_the_default_model_is_meant() -> None:
    registry = ModelRegistry([*ready("mnist", 1), *ready("other", 1)], "other")

    assert registry.get(None, None).metadata.name == "other"


def test_the_only_model_needs_no_name() -> None:
    assert ModelRegistry(ready("other", 1), "mnist").get(None, None).metadata.name == "other"


def test_of_several_models_without_a_default_one_must_be_named() -> None:
    registry = ModelRegistry([*ready("one", 1), *ready("two", 1)], "mnist")

    with pytest.raises(ModelNotFound, match=r"several models are loaded, so name one: .* one, two"):
        registry.get(None, None)


def test_the_error_for_an_unknown_model_lists_what_there_is() -> None:
    registry = ModelRegistry(ready("mnist", 1), "mnist")

    with pytest.raises(ModelNotFound, match="there is no model 'minst'; there is mnist"):
        registry.get("minst", None)


def test_an_empty_registry_has_nothing() -> None:
    registry = ModelRegistry([], "mnist")

    assert list(registry) == []
    with pytest.raises(ModelNotFound, match="there is no model 'mnist'; there is none"):
        registry.get(None, None)


def test_new_contents_take_the_place_of_all_old_ones() -> None:
    registry = ModelRegistry(ready("mnist", 1), "mnist")

    before = registry.replace(ready("mnist", 2), ServingPolicy(2), RepositoryProblems(policy="is not JSON"))

    assert list(before.models) == ["mnist"]
    assert [each.version for each in registry] == [2]
    assert registry.load_failures() == {"serving.json": "is not JSON"}


def test_the_policy_says_which_version_answers() -> None:
    registry = ModelRegistry([], "mnist")
    policy = ServingPolicy(2, {"mnist": ModelPolicy(2, canary=Share(0.1))})

    registry.replace(ready("mnist", 1, 2), policy)

    assert registry.get("mnist", None).metadata.version == 1


def test_a_request_that_names_no_version_meets_the_canary_by_its_lot_and_documents_never_do() -> None:
    registry = ModelRegistry([], "mnist")
    policy = ServingPolicy(3, {"mnist": ModelPolicy(3, default=1, canary=Share(0.1, 2), shadow=Share(1.0, 3))})
    registry.replace(ready("mnist", 1, 2, 3), policy)
    first, second, third = (registry.get("mnist", version) for version in (1, 2, 3))

    assert registry.choose("mnist", None, 0.05) == (second, third)
    assert registry.choose(None, None, 0.5) == (first, third)
    assert registry.get("mnist", None) is first


def test_a_request_that_names_a_version_gets_exactly_it() -> None:
    registry = ModelRegistry([], "mnist")
    policy = ServingPolicy(3, {"mnist": ModelPolicy(3, default=1, canary=Share(1.0, 2), shadow=Share(1.0, 3))})
    registry.replace(ready("mnist", 1, 2, 3), policy)

    assert [registry.choose("mnist", version, 0.0) for version in (1, 2, 3)] == [
        (registry.get("mnist", version), None) for version in (1, 2, 3)
    ]


@pytest.mark.parametrize("version", [None, 3])
def test_no_version_is_chosen_where_none_is_loaded(version: int | None) -> None:
    registry = ModelRegistry([FAILED], "mnist")

    with pytest.raises(NotReady, match=NONE_CAN_BE_SERVED):
        registry.choose("mnist", version, 0.0)


@pytest.mark.parametrize("others", [[], ready("other", 1)], ids=["alone", "beside another"])
def test_no_other_model_answers_for_a_default_model_that_cannot_be_served(others: list[ModelVersion]) -> None:
    registry = ModelRegistry([FAILED, *others], "mnist")

    with pytest.raises(NotReady, match=NONE_CAN_BE_SERVED):
        registry.choose(None, None, 0.0)


def test_a_version_that_is_not_there_is_not_found_where_the_others_failed() -> None:
    with pytest.raises(ModelNotFound):
        ModelRegistry([FAILED], "mnist").get("mnist", 7)


@pytest.mark.parametrize("name", ["mnist", None])
@pytest.mark.parametrize(
    ("others", "problems"),
    [
        (ready("other", 1), RepositoryProblems(models={"mnist": UNREADABLE})),
        ([], RepositoryProblems(repository=UNREADABLE)),
    ],
    ids=["mnist/", "repository"],
)
def test_a_model_that_cannot_be_looked_for_may_be_there(
    name: str | None, others: list[ModelVersion], problems: RepositoryProblems
) -> None:
    registry = ModelRegistry([], "mnist")
    registry.replace(others, ServingPolicy(2), problems)

    with pytest.raises(NotReady, match=rf"'mnist' may be in the repository, which {UNREADABLE}$"):
        registry.choose(name, None, 0.0)


def test_a_model_that_is_not_there_is_not_found_whatever_else_cannot_be_read() -> None:
    registry = ModelRegistry([], "mnist")
    registry.replace(
        ready("mnist", 1), ServingPolicy(2), RepositoryProblems(policy="is not JSON", models={"other": UNREADABLE})
    )

    with pytest.raises(ModelNotFound, match="there is no model 'minst'"):
        registry.get("minst", None)
