"""What a process has loaded: who answers, and what is said where nobody does."""

import pytest

from modelrepo.policy import ModelPolicy, ServingPolicy, Share
from service.errors import ModelNotFound, NotReady
from service.inference.model_version import LoadedVersion
from service.inference.registry import ModelRegistry
from tests.support.bundles.fake_predictors import predictor


def ready(name: str, *versions: int) -> list[LoadedVersion]:
    return [LoadedVersion(name, version, predictor(name, version)) for version in versions]


REFUSED = LoadedVersion("mnist", 3, None, "model.onnx is missing", "corrupt")
NONE_CAN_BE_SERVED = "'mnist' is in the repository, but none of its versions can be served now"
UNLOADED = LoadedVersion("mnist", 3, None, "it was unloaded")


def test_the_newest_version_answers() -> None:
    registry = ModelRegistry(ready("mnist", 10, 2), "mnist")

    assert registry.get("mnist", None).metadata.version == 10
    assert registry.get("mnist", 2).metadata.version == 2


def test_a_version_that_is_not_loaded_is_answered_with_those_that_are() -> None:
    registry = ModelRegistry(ready("mnist", 2, 10), "mnist")

    with pytest.raises(ModelNotFound, match="'mnist' has no version 1; loaded is 2, 10"):
        registry.get("mnist", 1)


def test_a_refused_version_leaves_the_others_serving() -> None:
    registry = ModelRegistry([*ready("mnist", 1, 2), REFUSED], "mnist")

    assert registry.get("mnist", None).metadata.version == 2
    assert registry.problems() == []
    assert registry.refusals() == {"mnist/3": "model.onnx is missing"}


def test_a_model_without_a_version_that_is_served_says_why() -> None:
    registry = ModelRegistry([REFUSED], "mnist")

    assert registry.problems() == ["no version of mnist could be loaded"]
    with pytest.raises(NotReady, match=rf"^{NONE_CAN_BE_SERVED}: model\.onnx is missing: GET /models/mnist lists them"):
        registry.get("mnist", None)


def test_a_model_that_was_unloaded_is_no_problem() -> None:
    registry = ModelRegistry([UNLOADED, *ready("other", 1)], "mnist")

    assert registry.problems() == []
    assert registry.refusals() == {}
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


def test_an_unknown_model_is_answered_with_what_there_is() -> None:
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

    before = registry.replace(ready("mnist", 2), ServingPolicy(2), {"serving.json": "is not JSON"})

    assert list(before.models) == ["mnist"]
    assert [each.version for each in registry] == [2]
    assert registry.refusals() == {"serving.json": "is not JSON"}


def test_the_policy_says_which_version_answers() -> None:
    registry = ModelRegistry([], "mnist")
    policy = ServingPolicy(2, {"mnist": ModelPolicy(2, canary=Share(0.1))})

    registry.replace(ready("mnist", 1, 2), policy, {})

    assert registry.get("mnist", None).metadata.version == 1


def test_a_request_that_names_no_version_meets_the_canary_by_its_lot_and_documents_never_do() -> None:
    registry = ModelRegistry([], "mnist")
    policy = ServingPolicy(3, {"mnist": ModelPolicy(3, default=1, canary=Share(0.1, 2), shadow=Share(1.0, 3))})
    registry.replace(ready("mnist", 1, 2, 3), policy, {})
    first, second, third = (registry.get("mnist", version) for version in (1, 2, 3))

    assert registry.choose("mnist", None, 0.05) == (second, third)
    assert registry.choose(None, None, 0.5) == (first, third)
    assert registry.get("mnist", None) is first


def test_a_request_that_names_a_version_gets_exactly_it() -> None:
    registry = ModelRegistry([], "mnist")
    policy = ServingPolicy(3, {"mnist": ModelPolicy(3, default=1, canary=Share(1.0, 2), shadow=Share(1.0, 3))})
    registry.replace(ready("mnist", 1, 2, 3), policy, {})

    assert [registry.choose("mnist", version, 0.0) for version in (1, 2, 3)] == [
        (registry.get("mnist", version), None) for version in (1, 2, 3)
    ]


@pytest.mark.parametrize("version", [None, 3])
def test_nobody_is_chosen_where_nothing_is_loaded(version: int | None) -> None:
    registry = ModelRegistry([REFUSED], "mnist")

    with pytest.raises(NotReady, match=NONE_CAN_BE_SERVED):
        registry.choose("mnist", version, 0.0)


@pytest.mark.parametrize("others", [[], ready("other", 1)], ids=["alone", "beside another"])
def test_no_other_model_answers_for_a_default_model_that_cannot_be_served(others: list[LoadedVersion]) -> None:
    registry = ModelRegistry([REFUSED, *others], "mnist")

    with pytest.raises(NotReady, match=NONE_CAN_BE_SERVED):
        registry.choose(None, None, 0.0)


def test_a_version_that_is_not_there_is_not_found_where_the_others_are_refused() -> None:
    with pytest.raises(ModelNotFound):
        ModelRegistry([REFUSED], "mnist").get("mnist", 7)


@pytest.mark.parametrize("name", ["mnist", None])
@pytest.mark.parametrize("unseen", ["mnist/", "repository"])
def test_a_model_that_cannot_be_looked_for_may_be_there(name: str | None, unseen: str) -> None:
    others = ready("other", 1) if unseen == "mnist/" else []
    registry = ModelRegistry([], "mnist")
    registry.replace(others, ServingPolicy(2), {unseen: "cannot be read: no permission"})

    with pytest.raises(NotReady, match="cannot be read: no permission: GET /readyz"):
        registry.choose(name, None, 0.0)


def test_a_model_that_is_not_there_is_not_found_whatever_else_cannot_be_read() -> None:
    registry = ModelRegistry([], "mnist")
    registry.replace(ready("mnist", 1), ServingPolicy(2), {"other/": "cannot be read", "serving.json": "is not JSON"})

    with pytest.raises(ModelNotFound, match="there is no model 'minst'"):
        registry.get("minst", None)


@pytest.mark.parametrize(("required", "problems"), [({"mnist"}, ["no version of mnist could be loaded"]), (set(), [])])
def test_a_refused_model_is_a_problem_where_it_is_required(required: set[str], problems: list[str]) -> None:
    registry = ModelRegistry([], "mnist")

    registry.replace([REFUSED, *ready("other", 1)], ServingPolicy(2), {}, required)

    assert registry.problems() == problems
    assert registry.refusals() == {"mnist/3": "model.onnx is missing"}
