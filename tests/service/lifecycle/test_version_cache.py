"""What is loaded of a repository: each bundle tried once, and what is good not given up for what is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrepo.golden import GoldenImage, GoldenSet
from modelrepo.policy import ModelPolicy, ServingPolicy
from modelrepo.reader import Bundle
from modelrepo.repository import ModelRepository
from preprocessing.png import encode_png
from service.inference.model_version import LoadedVersion
from service.inference.predictor import Predictor
from service.inference.runtime import UnusableGraph
from service.lifecycle.bundle_loader import Opener
from service.lifecycle.crash_guard import DEATHS, CrashGuard
from service.lifecycle.snapshot import take_snapshot
from service.lifecycle.version_cache import CHANGED, Key, VersionCache
from tests.support.bundles.fake_predictors import open_fake, publish
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import picture

NEWEST_TWO = ServingPolicy(2)


class Shop:
    """A loader over a folder, asked again and again."""

    def __init__(self, models: Path, open_bundle: Opener = open_fake) -> None:
        self.repository = ModelRepository(models)
        self.loader = VersionCache(self.repository, open_bundle, CrashGuard(models))

    def load(
        self, policy: ServingPolicy = NEWEST_TWO, unloaded: set[str] | None = None, unsettled: set[Key] | None = None
    ) -> dict[int, LoadedVersion]:
        snapshot = take_snapshot(self.repository)
        found = self.loader.load(snapshot, policy, unloaded or set(), unsettled or set())
        return {each.version: each for each in found}

    def tried(self) -> list[int]:
        return [attempt.outcome.version for attempt in self.loader.attempts()]


def states(found: dict[int, LoadedVersion]) -> dict[int, str]:
    return {version: each.state for version, each in sorted(found.items())}


def break_digest(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"?")


def break_metadata(bundle: Path) -> None:
    text = (bundle / "metadata.json").read_text()
    (bundle / "metadata.json").write_text(text.replace('"height": 8', '"height": 0'))


def break_golden(bundle: Path) -> None:
    wrong = GoldenSet(0.1, (GoldenImage("00.png", encode_png(picture(0)), (0.0, 1.0, 0.0)),))
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
def test_a_bad_version_is_refused_by_its_word_and_pushes_no_good_one_out(
    tmp_path: Path, damage: Callable[[Path], None], failure: str, reason: str
) -> None:
    publish(tmp_path, "mnist", 1, 2, 3)
    damage(tmp_path / "mnist" / "3")

    found = Shop(tmp_path).load()

    assert states(found) == {1: "READY", 2: "READY", 3: "UNAVAILABLE"}
    assert found[3].failure == failure
    assert reason in found[3].reason


def test_a_graph_that_cannot_be_loaded_is_refused_by_that_word(tmp_path: Path) -> None:
    def refuse(_bundle: Bundle) -> Predictor:
        raise UnusableGraph("the graph has no input 'image'")

    publish(tmp_path, "mnist", 1)

    refused = Shop(tmp_path, refuse).load()[1]

    assert (refused.failure, refused.reason) == ("graph", "the graph has no input 'image'")


def test_whatever_else_is_wrong_with_one_bundle_the_others_are_served(tmp_path: Path) -> None:
    def refuse_one(bundle: Bundle) -> Predictor:
        if bundle.metadata.version == 2:
            raise ZeroDivisionError
        return open_fake(bundle)

    publish(tmp_path, "mnist", 1, 2)

    found = Shop(tmp_path, refuse_one).load()

    assert states(found) == {1: "READY", 2: "UNAVAILABLE"}
    assert found[2].failure == "unexpected"


def test_only_the_newest_versions_are_loaded(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2, 10)

    assert states(Shop(tmp_path).load()) == {2: "READY", 10: "READY"}


def test_what_a_policy_names_is_loaded_however_old(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2, 3)
    policy = ServingPolicy(1, {"mnist": ModelPolicy(1, default=1)})

    assert states(Shop(tmp_path).load(policy)) == {1: "READY", 3: "READY"}


def test_a_version_that_a_policy_names_and_nobody_has_is_refused(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    policy = ServingPolicy(2, {"mnist": ModelPolicy((1, 7))})

    assert states(Shop(tmp_path).load(policy)) == {1: "READY", 7: "UNAVAILABLE"}


def test_a_bundle_is_tried_once(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    break_digest(tmp_path / "mnist" / "2")
    shop = Shop(tmp_path)

    first, second = shop.load(), shop.load()

    assert shop.tried() == [2, 1]
    assert second[1].predictor is first[1].predictor


def test_a_refused_bundle_is_tried_again_when_a_file_changes_or_somebody_asks(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    break_digest(tmp_path / "mnist" / "1")
    shop = Shop(tmp_path)
    shop.load()
    (tmp_path / "mnist" / "1" / "model.onnx").write_bytes(b"??")
    shop.load()
    shop.loader.retry("mnist", 1)
    shop.load()

    assert shop.tried() == [1, 1, 1]


def test_a_bundle_that_was_deadly_is_tried_again_where_that_is_ordered(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    Shop(tmp_path).load()
    journal = tmp_path / "loads.json"
    _, _, survived = json.loads(journal.read_text())
    journal.write_text(json.dumps([None, [[*files, DEATHS] for files in survived.items()], {}]))
    shop = Shop(tmp_path)
    refused = shop.load()[1]

    shop.loader.retry("mnist", 1)

    assert refused.failure == "deadly"
    assert states(shop.load()) == {1: "READY"}


def test_a_version_that_only_the_policy_has_is_tried_once(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    policy = ServingPolicy(2, {"mnist": ModelPolicy((1, 7))})
    shop = Shop(tmp_path)

    shop.load(policy)
    shop.load(policy)

    assert shop.tried() == [1, 7]
    assert "mnist/7" not in (tmp_path / "loads.json").read_text()


def test_a_version_that_a_policy_names_is_refused_when_its_bundle_goes(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    policy = ServingPolicy(2, {"mnist": ModelPolicy((1, 2))})
    shop = Shop(tmp_path)
    shop.load(policy)
    shutil.rmtree(tmp_path / "mnist" / "2")

    assert states(shop.load(policy)) == {1: "READY", 2: "UNAVAILABLE"}


def test_a_bundle_that_turns_bad_is_served_as_it_was_and_says_so(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    shop = Shop(tmp_path)
    good = shop.load()[1]
    break_digest(tmp_path / "mnist" / "1")

    found = shop.load()[1]

    assert found.predictor is good.predictor
    assert (found.state, found.failure) == ("READY", "corrupt")


def test_a_bundle_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    shop = Shop(tmp_path)

    found = shop.load(unsettled={("mnist", 2)})

    assert states(found) == {1: "READY"}
    assert shop.tried() == [1]


def test_a_bundle_that_is_being_overwritten_is_served_as_it_was(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1)
    shop = Shop(tmp_path)
    shop.load()
    break_digest(tmp_path / "mnist" / "1")

    found = shop.load(unsettled={("mnist", 1)})[1]

    assert (found.state, found.failure) == ("READY", "")


def test_a_bundle_that_is_removed_is_retired(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    shop = Shop(tmp_path)
    shop.load()
    shutil.rmtree(tmp_path / "mnist" / "2")

    assert states(shop.load()) == {1: "READY"}
    assert [key for key, _ in shop.loader.fingerprints()] == [("mnist", 1)]


def test_a_bundle_whose_files_change_while_it_is_loaded_is_refused(tmp_path: Path) -> None:
    def meddle(bundle: Bundle) -> Predictor:
        (bundle.path / "more.txt").write_text("just now")
        return open_fake(bundle)

    publish(tmp_path, "mnist", 1)

    found = Shop(tmp_path, meddle).load()[1]

    assert (found.state, found.failure, found.reason) == ("UNAVAILABLE", "corrupt", CHANGED)


def test_an_unloaded_model_is_named_and_nothing_of_it_is_held(tmp_path: Path) -> None:
    publish(tmp_path, "mnist", 1, 2)
    shop = Shop(tmp_path)
    shop.load()

    found = shop.load(unloaded={"mnist"})

    assert states(found) == {2: "UNAVAILABLE"}
    assert found[2].failure == ""
    assert "/v2/repository/models/mnist/load" in found[2].reason
    assert shop.loader.fingerprints() == []
