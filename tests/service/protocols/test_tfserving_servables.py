"""Versions of models by TensorFlow Serving's names, and its errors for those that are not there."""

from collections.abc import Callable

import pytest

from service.codecs.limits import Limits
from service.errors import InvalidRequest, ModelNotFound, NotReady, RequestError
from service.inference.model_version import FailedVersion, LoadedVersion
from service.inference.predictor import Predictor
from service.inference.registry import ModelRegistry
from service.inference.runtime import ModelOutputs
from service.inference.traffic_split import Choice
from service.protocols.tfserving.servables import choose_predictor, find_predictor, find_versions
from tests.support.bundles.tiny import tiny_metadata

Servable = tuple[str, str | None, str | None]  # name, version, label
Find = Callable[[ModelRegistry, str, str | None, str | None], object]


def served(name: str, version: int) -> LoadedVersion:
    return LoadedVersion(name, version, Predictor(tiny_metadata(name, version), "", ModelOutputs, Limits(1, 1, 1)))


def failed(name: str, version: int) -> FailedVersion:
    return FailedVersion(name, version, "damaged", "corrupt")


REGISTRY = ModelRegistry(
    [served("a", 1), served("a", 2), failed("a", 3), failed("b", 1)],
    default_model="a",
)


@pytest.mark.parametrize(("version", "number"), [(None, 2), ("1", 1), ("2", 2)])
def test_the_newest_that_is_served_answers_or_the_one_that_is_named(version: str | None, number: int) -> None:
    assert find_predictor(REGISTRY, "a", version, None).metadata.version == number
    assert choose_predictor(REGISTRY, "a", version, None, 0.0).predictor.metadata.version == number


def choose(registry: ModelRegistry, name: str, version: str | None, label: str | None) -> Choice:
    return choose_predictor(registry, name, version, label, 0.0)


@pytest.mark.parametrize(
    ("name", "version", "numbers"),
    [("a", None, [3, 2, 1]), ("a", "2", [2]), ("a", "3", [3]), ("b", None, [1])],
)
def test_versions_are_found_whether_served_or_not_the_newest_first(
    name: str, version: str | None, numbers: list[int]
) -> None:
    assert [each.version for each in find_versions(REGISTRY, name, version, None)] == numbers


@pytest.mark.parametrize("find", [find_predictor, find_versions, choose])
@pytest.mark.parametrize(
    ("servable", "error", "sentence"),
    [
        (("c", None, None), ModelNotFound, r"^Servable not found for request: Latest\(c\): .* there is a, b$"),
        (("c", "3", None), ModelNotFound, r"^Servable not found for request: Specific\(c, 3\): .* there is a, b$"),
        (("c", None, "x"), ModelNotFound, r"^Servable not found for request: Latest\(c\)"),
        (
            ("a", "4", None),
            ModelNotFound,
            r"^Servable not found for request: Specific\(a, 4\): .* (are 3, 2, 1|is 1, 2)$",
        ),
        (("a", "x", None), InvalidRequest, "a version is a whole number"),
        (("a", None, "x"), InvalidRequest, r"^Unrecognized servable version label: x: .* one of 2, 1$"),
        (("b", None, "x"), InvalidRequest, r"^Unrecognized servable version label: x: .* one of none$"),
    ],
)
def test_the_error_for_what_is_not_there_lists_what_there_is(
    find: Find, servable: Servable, error: type[RequestError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        find(REGISTRY, *servable)


def test_a_failed_version_is_not_replaced_by_another() -> None:
    with pytest.raises(ModelNotFound, match=r"^Servable not found for request: Specific\(a, 3\)"):
        find_predictor(REGISTRY, "a", "3", None)


@pytest.mark.parametrize("find", [find_predictor, choose])
@pytest.mark.parametrize("version", [None, "1"])
def test_a_model_of_which_all_versions_failed_is_not_ready(find: Find, version: str | None) -> None:
    with pytest.raises(NotReady, match="'b' is in the repository, but none of its versions can be served now: damaged"):
        find(REGISTRY, "b", version, None)
