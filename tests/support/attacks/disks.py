"""Small file systems in memory, which a test may fill or take away; they need the right to mount."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """A tmpfs of that size on a folder; the test is skipped where mounting is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "none", folder], check=False)
    if made.returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        yield folder
    finally:
        unmount(folder)


def unmount(folder: Path) -> None:
    """Take a file system away, also while it is in use."""
    subprocess.run(["umount", "--lazy", folder], check=False, stderr=subprocess.DEVNULL)


def bind(source: Path, target: Path) -> None:
    """Show a folder at a second place; raises CalledProcessError where that is not allowed."""
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", source, target], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room that is left, to the last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return filler
