"""Files of a repository are opened only where they are regular files inside their folder, and read to a limit."""

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrepo.errors import CorruptBundle
from modelrepo.files import hash_file, read_file

LIMIT = 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle's folder, beside which there are other files."""
    (tmp_path / "outside").write_bytes(b"outside")
    folder = tmp_path / "bundle"
    (folder / "golden").mkdir(parents=True)
    (folder / "inside").write_bytes(b"inside")
    return folder


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def device_node(path: Path) -> None:
    try:
        os.mknod(path, 0o020666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no device may be made here")


def folder_in_its_place(path: Path) -> None:
    path.mkdir()


def link_out(path: Path) -> None:
    path.symlink_to("../outside")


def link_to_a_link_out(path: Path) -> None:
    path.with_name("second").symlink_to("../outside")
    path.symlink_to("second")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("second"))
    path.symlink_to("second")


def large(path: Path) -> None:
    path.write_bytes(bytes(LIMIT + 1))


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def process_file(path: Path) -> None:
    path.symlink_to("/proc/self/status")


KINDS: list[tuple[Callable[[Path], None], str]] = [
    (pipe, "is a pipe"),
    (listening_socket, "cannot be read: No such device or address"),
    (device, "is a link out of its folder"),
    (device_node, "is a device"),
    (folder_in_its_place, "is a folder"),
    (link_out, "is a link out of its folder"),
    (link_to_a_link_out, "is a link out of its folder"),
    (loop, "cannot be read: Too many levels of symbolic links"),
    (link_to_a_pipe, "is a pipe"),
    (large, "has 101 bytes, more than the 100"),
    (sparse, "has 1,099,511,627,776 bytes"),
    (process_file, "is a link out of its folder"),
]


@pytest.mark.parametrize(("make", "sentence"), KINDS, ids=[make.__name__ for make, _ in KINDS])
def test_what_is_no_file_of_the_folder_is_refused_at_once(
    folder: Path, make: Callable[[Path], None], sentence: str
) -> None:
    make(folder / "file")

    with pytest.raises(CorruptBundle, match=f"^file {sentence}"):
        read_file(folder, "file", LIMIT)


@pytest.mark.parametrize("name", ["missing", "golden/missing", "inside/missing"])
def test_a_missing_file_is_not_found(folder: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        read_file(folder, name, LIMIT)


def test_a_link_to_nothing_is_not_found(folder: Path) -> None:
    (folder / "file").symlink_to("missing")

    with pytest.raises(FileNotFoundError):
        read_file(folder, "file", LIMIT)


@pytest.mark.parametrize("name", ["../outside", "golden/../../outside", "/etc/hostname"])
def test_a_name_that_leaves_the_folder_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(CorruptBundle, match="link out of its folder"):
        read_file(folder, name, LIMIT)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300])
def test_a_name_that_no_file_can_have_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(CorruptBundle):
        read_file(folder, name, LIMIT)


def test_links_inside_the_folder_are_followed_and_the_folder_may_be_one(folder: Path, tmp_path: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "..data" / "file").write_bytes(b"mounted")
    (folder / "file").symlink_to("..data/file")
    (tmp_path / "linked").symlink_to("bundle")

    assert read_file(tmp_path / "linked", "file", LIMIT) == b"mounted"


def test_a_file_is_read_up_to_its_limit(folder: Path) -> None:
    (folder / "file").write_bytes(bytes(LIMIT))

    assert read_file(folder, "file", LIMIT) == bytes(LIMIT)


def test_a_file_is_hashed_where_its_size_is_right(folder: Path) -> None:
    content = os.urandom(3 << 20)
    (folder / "file").write_bytes(content)

    assert hash_file(folder, "file", len(content)) == hashlib.sha256(content).hexdigest()
    with pytest.raises(CorruptBundle, match="file has 3145728 bytes where the metadata says 7"):
        hash_file(folder, "file", 7)


def test_no_descriptor_is_left_open(folder: Path) -> None:
    os.mkfifo(folder / "file")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        with pytest.raises(CorruptBundle):
            read_file(folder, "file", LIMIT)

    assert len(list(Path("/proc/self/fd").iterdir())) == before
