"""What a process has loaded: the newest version answers, and a bad one is refused without harm to the others."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelrepo.golden import GoldenImage, GoldenSet
from modelrepo.reader import Bundle
from modelrepo.repository import ModelRepository
from service.errors import ModelNotFound
from service.limits import Limits
from service.predictor import Predictor
from service.registry import ModelRegistry, load_registry
from service.runtime import Scores, UnusableGraph
from tests.support.bundles import publish_tiny
from tests.support.pictures import as_png, picture

FAKE_GOLDEN = GoldenSet(0.1, (GoldenImage("00.png", as_png(picture(0)), (1.0, 0.0, 0.0)),))


def always_left(batch: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> Scores:
    return np.tile(np.array([1, 0, 0], np.float32), (len(batch), 1))


def open_fake(bundle: Bundle) -> Predictor:
    return Predictor(
        bundle.metadata, bundle.digest, always_left, Limits(max_pixels=10_000, max_request_pixels=10_000, max_images=8)
    )


def load(models: Path, newest: int = 2, default: str = "mnist") -> ModelRegistry:
    return load_registry(ModelRepository(models), newest, default, open_fake)


def publish(models: Path, name: str, *versions: int) -> None:
    for version in versions:
        publish_tiny(models, name, version, golden=FAKE_GOLDEN)


def test_the_newest_version_answers(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2, 10)

    registry = load(tmp_path)

    assert registry.get("mnist", None).metadata.version == 10
    assert registry.get("mnist", 2).metadata.version == 2


def test_only_the_newest_versions_are_loaded(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2, 10)

    registry = load(tmp_path, newest=2)

    assert [each.version for each in registry.versions("mnist")] == [2, 10]
    with pytest.raises(ModelNotFound, match="'mnist' has no version 1; loaded is 2, 10"):
        registry.get("mnist", 1)


def break_digest(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"?")


def break_metadata(bundle: Path) -> None:
    text = (bundle / "metadata.json").read_text()
    (bundle / "metadata.json").write_text(text.replace('"height": 8', '"height": 0'))


def break_golden(bundle: Path) -> None:
    wrong = GoldenSet(0.1, (GoldenImage("00.png", as_png(picture(0)), (0.0, 1.0, 0.0)),))
    shutil.rmtree(bundle)
    publish_tiny(bundle.parent.parent, "mnist", 2, golden=wrong)


def remove_metadata(bundle: Path) -> None:
    (bundle / "metadata.json").unlink()


@pytest.mark.parametrize(
    ("damage", "failure", "reason"),
    [
        (break_digest, "corrupt", "model.onnx has 1 bytes"),
        (break_metadata, "metadata", "input.height"),
        (break_golden, "golden", "golden image 00.png is 1 off"),
        (remove_metadata, "corrupt", "it is not a bundle"),
    ],
)
def test_a_bad_version_leaves_the_old_one_serving(
    tmp_path: Path, damage: Callable[[Path], None], failure: str, reason: str
) -> None:
    publish(tmp_path, "mnist", 1, 2)
    damage(tmp_path / "mnist" / "2")

    registry = load(tmp_path)

    refused = registry.versions("mnist")[1]
    assert registry.get("mnist", None).metadata.version == 1
    assert (refused.state, refused.failure) == ("UNAVAILABLE", failure)
    assert reason in refused.reason
    assert registry.unready_models() == []


def test_a_graph_that_cannot_be_loaded_is_refused_by_that_word(tmp_path: Path) -> None:
    def refuse(_bundle: Bundle) -> Predictor:
        raise UnusableGraph("the graph has no input 'image'")

    publish(tmp_path, "mnist", 1)

    (refused,) = load_registry(ModelRepository(tmp_path), 2, "mnist", refuse)

    assert (refused.failure, refused.reason) == ("graph", "the graph has no input 'image'")


def test_whatever_else_is_wrong_with_one_bundle_the_others_are_served(tmp_path: Path) -> None:
    def refuse_one(bundle: Bundle) -> Predictor:
        if bundle.metadata.name == "other":
            raise ZeroDivisionError
        return open_fake(bundle)

    publish(tmp_path, "mnist", 1)
    publish(tmp_path, "other", 1)

    registry = load_registry(ModelRepository(tmp_path), 2, "mnist", refuse_one)

    assert registry.get("mnist", None).metadata.version == 1
    assert registry.unready_models() == ["other"]
    with pytest.raises(ModelNotFound, match="no version of 'other' could be loaded"):
        registry.get("other", None)


def test_without_a_name_the_default_model_is_meant(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    publish(tmp_path, "other", 1)

    assert load(tmp_path, default="other").get(None, None).metadata.name == "other"


def test_the_only_model_needs_no_name(tmp_path: Path) -> None:
    publish(tmp_path, "other", 1)

    assert load(tmp_path, default="mnist").get(None, None).metadata.name == "other"


def test_of_several_models_without_a_default_one_must_be_named(tmp_path: Path) -> None:
    publish(tmp_path, "one", 1)
    publish(tmp_path, "two", 1)

    with pytest.raises(ModelNotFound, match=r"several models are loaded, so name one: .* one, two"):
        load(tmp_path, default="mnist").get(None, None)


def test_an_unknown_model_is_answered_with_what_there_is(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)

    with pytest.raises(ModelNotFound, match="there is no model 'minst'; there is mnist"):
        load(tmp_path).get("minst", None)


def test_an_empty_repository_loads_nothing(tmp_path: Path) -> None:
    registry = load(tmp_path)

    assert list(registry) == []
    with pytest.raises(ModelNotFound, match="there is no model 'mnist'; there is none"):
        registry.get(None, None)
