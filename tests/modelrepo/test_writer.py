"""The writer: a version appears whole or not at all."""

from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from modelrepo.errors import InvalidMetadata, VersionExists
from modelrepo.reader import read_bundle, read_version
from modelrepo.repository import ModelRepository
from modelrepo.writer import publish, staging
from tests.support.bundles.tiny import publish_tiny, tiny_metadata


def everything(root: Path) -> list[tuple[str, bytes]]:
    """Every path below a folder, with the contents of the files."""
    return [(str(path), path.read_bytes() if path.is_file() else b"") for path in sorted(root.rglob("*"))]


def test_a_published_version_can_be_read_at_once(tmp_path: Path) -> None:
    path = publish_tiny(tmp_path, "tiny")

    assert path == tmp_path / "tiny" / "1"
    assert read_bundle(path).metadata.version == 1


def test_a_version_is_never_overwritten(tmp_path: Path) -> None:
    publish_tiny(tmp_path, "tiny")
    before = everything(tmp_path)

    with pytest.raises(VersionExists, match="publish under the next version"):
        publish_tiny(tmp_path, "tiny", description="another")

    assert everything(tmp_path) == before


def test_a_writer_that_fails_leaves_the_repository_as_it_was(tmp_path: Path) -> None:
    publish_tiny(tmp_path, "tiny")
    before = everything(tmp_path)

    with suppress(KeyboardInterrupt), staging(ModelRepository(tmp_path)) as staged:
        (staged / "model.onnx").write_bytes(b"half a mod")
        raise KeyboardInterrupt

    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    "changes",
    [{"labels": ("one",)}, {"name": "No Name"}, {"version": 0}],
    ids=["labels that do not fit", "a name that is none", "version 0"],
)
def test_invalid_metadata_publishes_nothing(tmp_path: Path, changes: dict[str, object]) -> None:
    publish_tiny(tmp_path, "tiny")
    before = everything(tmp_path)

    with pytest.raises(InvalidMetadata):
        publish_tiny(tmp_path, **{"name": "other", **changes})  # type: ignore[arg-type]

    assert everything(tmp_path) == before


def test_a_bundle_without_a_model_is_not_published(tmp_path: Path) -> None:
    repository = ModelRepository(tmp_path)

    with pytest.raises(InvalidMetadata, match=r"must name model\.onnx"), staging(repository) as staged:
        publish(repository, staged, tiny_metadata("tiny"))

    assert everything(tmp_path) == []


def test_figures_that_json_cannot_hold_are_not_published(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"JSON|finite"):
        publish_tiny(tmp_path, "tiny", evaluation={"loss": float("nan")})

    assert everything(tmp_path) == []


def test_a_staged_bundle_is_no_model_yet(tmp_path: Path) -> None:
    repository = ModelRepository(tmp_path)

    with staging(repository) as staged:
        (staged / "1").mkdir()

        assert repository.names() == []
        assert repository.versions(staged.name) == []


def test_a_reader_beside_the_writer_sees_only_whole_versions(tmp_path: Path) -> None:
    repository, done, failures = ModelRepository(tmp_path), Event(), list[Exception]()

    def read_all() -> None:
        while not done.is_set():
            try:
                [
                    read_version(repository, name, each)
                    for name in repository.names()
                    for each in repository.versions(name)
                ]
            except Exception as error:
                failures.append(error)

    reader = Thread(target=read_all)
    reader.start()
    for version in range(1, 11):
        publish_tiny(tmp_path, "tiny", version)
    done.set()
    reader.join()

    assert failures == []
    assert repository.versions("tiny") == list(range(1, 11))


def test_another_user_can_read_what_was_published(tmp_path: Path) -> None:
    path = publish_tiny(tmp_path, "tiny")

    assert path.stat().st_mode & 0o555 == 0o555


def test_the_staging_folder_is_gone_after_a_publication(tmp_path: Path) -> None:
    publish_tiny(tmp_path, "tiny")

    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
