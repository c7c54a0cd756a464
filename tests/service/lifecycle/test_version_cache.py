"""What is loaded of a repository: each bundle tried once, and what is good not given up for what is not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrepo.golden import GoldenImage, GoldenSet
from modelrepo.policy import ModelPolicy, ServingPolicy
from modelrepo.reader import Bundle
from modelrepo.repository import ModelRepository
from preprocessing.png import encode_png
from service.inference.model_version import LoadedVersion, ModelVersion
from service.inference.predictor import Predictor
from service.inference.runtime import UnusableGraph
from service.lifecycle.bundle_loader import CHANGED, Opener
from service.lifecycle.model_control import ControlState
from service.lifecycle.snapshot import Key, take_snapshot
from service.lifecycle.trials import NoTrials, Trials
from service.lifecycle.version_cache import VersionCache
from tests.support.bundles.fake_predictors import open_fake, publish
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import tiny_image

NEWEST_TWO = ServingPolicy(2)
NO_REQUESTS = ControlState()
LOAD = ControlState(1, loads={"mnist": 1})


class Cache:
    """A version cache over a folder, asked again and again."""

    def __init__(self, models: Path, opener: Opener = open_fake, trials: Trials | None = None) -> None:
        self.repository = ModelRepository(models)
        self.cache = VersionCache(self.repository, opener, trials or NoTrials())

    def load(
        self,
        policy: ServingPolicy = NEWEST_TWO,
        control: ControlState = NO_REQUESTS,
        unsettled: set[Key] | None = None,
    ) -> dict[int, ModelVersion]:
        snapshot = take_snapshot(self.repository)
        versions = self.cache.load(snapshot, policy, control, unsettled or set())
        return {each.version: each for each in versions}

    def tried(self) -> list[int]:
        return [attempt.version.version for attempt in self.cache.take_attempts()]


def states(versions: dict[int, ModelVersion]) -> dict[int, str]:
    return {version: each.state for version, each in sorted(versions.items())}


def break_digest(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"?")


def break_metadata(bundle: Path) -> None:
    text = (bundle / "metadata.json").read_text()
    (bundle / "metadata.json").write_text(text.replace('"height": 8', '"height": 0'))


def break_golden(bundle: Path) -> None:
    wrong = GoldenSet(0.1, (GoldenImage("00.png", encode_png(tiny_image(0)), (0.0, 1.0, 0.0)),))
    shutil.rmtree(bundle)
    publish_tiny(bundle.parent.parent, bundle.parent.name, int(bundle.name), golden=wrong)


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
def test_a_bad_version_fails_with_its_word_and_pushes_no_good_one_out(
    tmp_path: Path, damage: Callable[[Path], None], failure: str, reason: str
) -> None:
    publish(tmp_path, "mnist", 1, 2, 3)
    damage(tmp_path / "mnist" / "3")

    versions = Cache(tmp_path).load()

    assert states(versions) == {1: "READY", 2: "READY", 3: "UNAVAILABLE"}
    assert versions[3].failure == failure
    assert reason in versions[3].reason


def fail(_bundle: Bundle) -> Predictor:
    raise UnusableGraph("the graph has no input 'image'")


def test_a_graph_that_cannot_be_loaded_fails_with_that_word(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)

    failed = Cache(tmp_path, fail).load()[1]

    assert (failed.failure, failed.reason) == ("graph", "the graph has no input 'image'")


def test_whatever_else_is_wrong_with_one_bundle_the_others_are_served(tmp_path: Path) -> None:
    def fail_one(bundle: Bundle) -> Predictor:
        if bundle.metadata.version == 2:
            raise ZeroDivisionError
        return open_fake(bundle)

    publish(tmp_path, "mnist", 1, 2)

    versions = Cache(tmp_path, fail_one).load()

    assert states(versions) == {1: "READY", 2: "UNAVAILABLE"}
    assert versions[2].failure == "unexpected"


def test_only_the_newest_versions_are_loaded(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2, 10)

    assert states(Cache(tmp_path).load()) == {2: "READY", 10: "READY"}


def test_what_a_policy_names_is_loaded_however_old(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2, 3)
    policy = ServingPolicy(1, {"mnist": ModelPolicy(1, default=1)})

    assert states(Cache(tmp_path).load(policy)) == {1: "READY", 3: "READY"}


def test_a_version_that_only_a_policy_names_fails(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    policy = ServingPolicy(2, {"mnist": ModelPolicy((1, 7))})

    assert states(Cache(tmp_path).load(policy)) == {1: "READY", 7: "UNAVAILABLE"}


def test_a_bundle_is_tried_once(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    break_digest(tmp_path / "mnist" / "2")
    cache = Cache(tmp_path)

    first, second = cache.load(), cache.load()

    assert cache.tried() == [2, 1]
    assert second[1] is first[1]


def test_a_failed_bundle_is_tried_again_when_a_file_changes_or_on_request(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    break_digest(tmp_path / "mnist" / "1")
    cache = Cache(tmp_path)
    cache.load()
    (tmp_path / "mnist" / "1" / "model.onnx").write_bytes(b"??")
    cache.load()
    cache.load(control=LOAD)

    assert cache.tried() == [1, 1, 1]


def test_a_version_that_only_the_policy_has_is_tried_once(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    policy = ServingPolicy(2, {"mnist": ModelPolicy((1, 7))})
    cache = Cache(tmp_path)

    cache.load(policy)
    cache.load(policy)

    assert cache.tried() == [1, 7]


def test_a_version_that_a_policy_names_fails_when_its_bundle_is_removed(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    policy = ServingPolicy(2, {"mnist": ModelPolicy((1, 2))})
    cache = Cache(tmp_path)
    cache.load(policy)
    shutil.rmtree(tmp_path / "mnist" / "2")

    assert states(cache.load(policy)) == {1: "READY", 2: "UNAVAILABLE"}


def test_a_bundle_that_turns_bad_is_served_as_it_was_and_says_so(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    cache = Cache(tmp_path)
    good = cache.load()[1]
    break_digest(tmp_path / "mnist" / "1")

    versions = cache.load()[1]

    assert isinstance(good, LoadedVersion)
    assert isinstance(versions, LoadedVersion)
    assert versions.predictor is good.predictor
    assert (versions.state, versions.failure) == ("READY", "corrupt")


def test_a_bundle_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    cache = Cache(tmp_path)

    versions = cache.load(unsettled={("mnist", 2)})

    assert states(versions) == {1: "READY"}
    assert cache.tried() == [1]


def test_a_bundle_that_is_being_overwritten_is_served_as_it_was(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    cache = Cache(tmp_path)
    cache.load()
    break_digest(tmp_path / "mnist" / "1")

    versions = cache.load(unsettled={("mnist", 1)})[1]

    assert (versions.state, versions.failure) == ("READY", "")


def test_a_bundle_that_is_removed_is_retired(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    cache = Cache(tmp_path)
    cache.load()
    shutil.rmtree(tmp_path / "mnist" / "2")

    assert states(cache.load()) == {1: "READY"}
    assert [key for key, _ in cache.cache.fingerprints()] == [("mnist", 1)]


def test_a_bundle_whose_files_change_while_it_is_loaded_fails(tmp_path: Path) -> None:
    def meddle(bundle: Bundle) -> Predictor:
        (bundle.path / "more.txt").write_text("just now")
        return open_fake(bundle)

    publish(tmp_path, "mnist", 1)

    versions = Cache(tmp_path, meddle).load()[1]

    assert (versions.state, versions.failure, versions.reason) == ("UNAVAILABLE", "corrupt", CHANGED)


def test_an_unloaded_model_is_named_and_nothing_of_it_is_held(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    cache = Cache(tmp_path)
    cache.load()

    versions = cache.load(control=ControlState(1, frozenset({"mnist"})))

    assert states(versions) == {1: "UNAVAILABLE", 2: "UNAVAILABLE"}
    assert {each.failure for each in versions.values()} == {""}
    assert {each.reason for each in versions.values()} == {"it was unloaded"}
    assert cache.cache.fingerprints() == []


UNLOAD = ControlState(1, frozenset({"mnist"}))


def test_every_version_that_was_known_before_is_named_while_the_model_is_unloaded(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2, 3)
    break_digest(publish_tiny(tmp_path, "mnist", 4))
    cache = Cache(tmp_path)
    before = cache.load()

    assert cache.load(control=UNLOAD).keys() == before.keys() == {2, 3, 4}
    publish(tmp_path, "mnist", 5)
    assert cache.load(control=UNLOAD).keys() == {2, 3, 4, 5}


def test_a_worker_that_starts_later_names_the_versions_that_would_be_loaded(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2, 3)

    assert Cache(tmp_path).load(control=UNLOAD).keys() == {2, 3}
