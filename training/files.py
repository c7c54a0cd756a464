"""Files that people asked for, written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from training.errors import NotWritten


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes the file at the end of the `with`, unless something was raised in it."""
    partial = path.with_name(f".partial-{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):  # there may be no such folder
            partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, which gets its name only once it is complete; raises NotWritten, and then it is as it was."""
    try:
        with replacing(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise NotWritten(f"{path} cannot be written ({error.strerror}): choose another place by --out") from error
