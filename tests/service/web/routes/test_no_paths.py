"""No response shows where the service is installed, where its models are, or a place in a library's source code."""

import dataclasses
import json
from pathlib import Path

import pytest
from flask import Flask

from preprocessing.png import encode_png
from service.app import create_app
from service.ipc.workspace import WorkerContext
from service.settings import Settings
from service.telemetry.metrics import Metrics
from tests.support.bundles.tiny import publish_tiny
from tests.support.images.drawn import tiny_image

BODIES = (
    b"",
    b"?",
    b"{",
    b'{"instances":[[1,[2]]]}',
    b"\x93NUMPY\x01\x00",
    encode_png(tiny_image(1))[:60],
    b"II*\x00" + b"\xff" * 40,
)
TYPES = ("", "application/json", "application/x-npy", "image/png", "multipart/form-data; boundary=b", "text/x")


@pytest.fixture
def broken(settings: Settings, metrics: Metrics, context: WorkerContext, tmp_path: Path) -> Flask:
    """A service whose bundles are damaged in many ways."""
    models = tmp_path / "models"
    bundles = {
        name: publish_tiny(models, name) for name in ("mnist", "graph", "empty", "json", "golden", "link", "gone")
    }
    (bundles["graph"] / "model.onnx").write_bytes(b"\x08\x0a\x12\x03abc" * 50)
    metadata = json.loads((bundles["graph"] / "metadata.json").read_text())
    (bundles["empty"] / "model.onnx").write_bytes(b"")
    (bundles["json"] / "metadata.json").write_text(json.dumps(metadata)[:-9])
    for path in sorted(bundles["golden"].glob("golden/*")):
        path.unlink()
    (bundles["link"] / "model.onnx").unlink()
    (bundles["link"] / "model.onnx").symlink_to("/usr/lib/os-release")
    (bundles["gone"] / "metadata.json").unlink()
    (models / "loop").symlink_to(models / "loop")
    (models / "serving.json").symlink_to("/usr/share/none")
    return create_app(dataclasses.replace(settings, models=models), metrics, context, lambda _: None)


def test_no_response_shows_a_path_of_the_machine(broken: Flask, tmp_path: Path) -> None:
    client, texts = broken.test_client(), {}
    values = {"version": "1", "label": "a", "repository": "r", "region": "r", "filename": "x", "path": "x"}
    urls = broken.url_map.bind("host")
    for rule in broken.url_map.iter_rules():
        for name in ("mnist", "graph", "link", "golden", "absent"):
            path = urls.build(rule.endpoint, {**dict.fromkeys(rule.arguments, "x"), **values, "name": name})
            path = path.partition("?")[0]
            if "GET" in (rule.methods or ()):
                texts[f"GET {path}"] = client.get(path).text
            if "POST" in (rule.methods or ()):
                for number, body in enumerate(BODIES):
                    for media_type in TYPES if name == "mnist" else TYPES[:1]:
                        headers = {"Content-Type": media_type}
                        texts[f"POST {path} {number} {media_type}"] = client.post(path, data=body, headers=headers).text

    private = (
        "/usr",
        "site-packages",
        str(tmp_path),
        str(Path(__file__).parents[4]),
        str(tmp_path.parents[2]),
        ".cc:",
        "Traceback",
    )
    shown = {request: word for request, text in texts.items() for word in private if word in text}
    assert len(texts) > 100
    assert shown == {}
