"""Replay image attacks by hand: `python -m tests.support.attacks.run [part of a file's name] [form] [connections]`."""

import sys
import tempfile
from pathlib import Path

from modelrepo.metadata import Preprocessing
from tests.support.attacks.attack import attack, statuses
from tests.support.attacks.files.dear_files import DEAR_FILES, dear_file
from tests.support.attacks.forms import FORMS
from tests.support.attacks.processes import MEGABYTE
from tests.support.bundles.tiny import PREPROCESSING, publish_tiny
from tests.support.processes.service import running


def publish_models(root: Path) -> Path:
    """`mnist` in gray, `colour`, and `written`, which prepares handwriting."""
    publish_tiny(root, "mnist")
    publish_tiny(root, "colour", mode="rgb")
    publish_tiny(root, "written", preprocessing=Preprocessing(**{**vars(PREPROCESSING), "ink": True}))
    return root


def main(part: str = "", form: str = "gzip", connections: str = "2") -> None:
    """Send each file whose name has `part` in it, over so many connections at once, to a new service, and print."""
    for name in [name for name in DEAR_FILES if part in name]:
        sent = FORMS[form]([dear_file(name)])
        with tempfile.TemporaryDirectory() as folder, running(publish_models(Path(folder)), workers=2) as service:
            with attack(service) as seen:
                replies = seen.send([sent] * int(connections), int(connections))
            waited = {each: round(seconds, 3) for each, seconds in seen.others.longest().items()}
            peaks = [pid // MEGABYTE for pid in seen.peaks.values()]
            took = [round(each.seconds, 1) for each in replies]
            print(f"{name} [{form}]: {statuses(replies)} {took} {waited} {peaks}")  # noqa: T201
            for line in seen.complaints():
                print("   ", line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
