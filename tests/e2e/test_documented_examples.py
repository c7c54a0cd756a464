"""Every example of README.md and docs/api.md, commands and programs, run as written against the published models."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.processes.service import ROOT, RunningService, running

API = (ROOT / "docs" / "api.md").read_text()
README = (ROOT / "README.md").read_text()
COMMAND = re.compile(r"^\$ (curl .*)$", re.MULTILINE)
COMMANDS = COMMAND.findall(API)
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", API, re.MULTILINE | re.DOTALL)
CURLRC = "silent\nshow-error\nfail-with-body\n"


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with running(ROOT / "models", workers=2) as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the examples name, and curl's settings."""
    digit = Image.open(ROOT / "docs" / "images" / "digit.png")
    digit.save(tmp_path / "digit.png")
    digit.save(tmp_path / "one.png")
    digit.convert("RGB").save(tmp_path / "two.jpg")
    digit.convert("RGB").save(tmp_path / "cat.jpg")
    np.save(tmp_path / "batch.npy", np.zeros((4, 28, 28, 1), np.uint8))
    (tmp_path / ".curlrc").write_text(CURLRC)
    return tmp_path


def run(folder: Path, service: RunningService, *words: str) -> str:
    """What a command prints, run in the folder and against this service; it has to succeed."""
    here = [word.replace("localhost:8000", f"localhost:{service.port}") for word in words]
    environment = {**os.environ, "CURL_HOME": str(folder)}
    ended = subprocess.run(here, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_succeeds(folder: Path, service: RunningService, command: str) -> None:
    printed = run(folder, service, "sh", "-c", command)

    assert printed or (folder / "response.bin").stat().st_size > 100


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("command", dict.fromkeys(COMMAND.findall(README)))
def test_every_command_of_the_readme_succeeds(folder: Path, service: RunningService, command: str) -> None:
    assert run(folder, service, "sh", "-c", f"cd '{ROOT}' && {command}")


def test_the_response_in_the_readme_is_what_the_service_sends(service: RunningService) -> None:
    documented = json.loads(re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[0])
    sent = json.loads(service.post("/predict?top_k=3", (ROOT / "docs" / "images" / "digit.png").read_bytes()).body)

    assert rounded(sent) == rounded(documented)


def rounded(document: Any) -> Any:
    """The document with its probabilities as far as all machines agree on them."""
    if isinstance(document, dict):
        return {name: rounded(value) for name, value in document.items()}
    if isinstance(document, list):
        return [rounded(value) for value in document]
    return round(document, 5) if isinstance(document, float) else document


@pytest.mark.parametrize("program", PROGRAMS, ids=["Triton's client", "KServe's client"])
def test_every_program_finds_the_digit(folder: Path, service: RunningService, program: str) -> None:
    printed = run(folder, service, sys.executable, "-c", program)

    assert re.search(r"0\.99|1\.000000:6:6", printed)
