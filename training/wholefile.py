"""Files that people asked for, written whole or not at all."""

from contextlib import suppress
from pathlib import Path

from training.errors import NotWritten


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, which gets its name only once it is complete; raises NotWritten, and then it is as it was."""
    partial = path.with_name(f".partial-{path.name}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise NotWritten(f"{path} cannot be written ({error.strerror}): choose another place by --out") from error
    finally:
        with suppress(OSError):  # there may be no such folder
            partial.unlink(missing_ok=True)
