"""The Compose project with all its secrets: TLS, admin keys, and the webhook of alerts."""

import hashlib
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.deploy.compose import Project, describe_project
from tests.support.deploy.docker import DockerFailed, docker
from tests.support.processes.service import free_port

pytestmark = pytest.mark.docker

KEY = "a key that only this test knows"
FILES = ("docker-compose.yml", *(f"deploy/compose/{name}.yml" for name in ("tls", "admin", "alerting")))
ORDER = """
import sys, urllib.request as web
path, key = "/v2/repository/models/mnist/load", {"Authorization": "Bearer " + sys.argv[1]}
order = web.Request("http://127.0.0.1:8000" + path, b"", key)
print(web.urlopen(order).status)
"""


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of secrets as docs/operations.md says; its certificate is for localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("secrets")
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.crt"]
    subprocess.run(["openssl", "req", *options, *files], check=True, capture_output=True)
    (folder / "admin.keys").write_text(hashlib.sha256(KEY.encode()).hexdigest() + "\n")
    (folder / "alert.webhook").write_text("http://alerts.invalid/secret-token\n")
    for path in folder.iterdir():
        path.chmod(0o644)  # the containers' users are others
    return folder


@pytest.fixture(scope="module")
def guarded(engine: None, secrets: Path) -> Iterator[Project]:  # noqa: ARG001  # skips where there is none
    """One replica of it."""
    project = describe_project()
    environment = {
        "COMPOSE_PROJECT_NAME": f"{project.name}-guarded",
        "COMPOSE_FILE": ":".join(FILES),
        "CONVSERVE_TLS_PORT": str(free_port()),
        "TLS_CERTIFICATE_FILE": str(secrets / "tls.crt"),
        "TLS_KEY_FILE": str(secrets / "tls.key"),
        "CONVSERVE_ADMIN_KEYS_FILE": str(secrets / "admin.keys"),
        "ALERT_WEBHOOK_FILE": str(secrets / "alert.webhook"),
    }
    project = replace(project, environment=project.environment | environment)
    try:
        project.build("service")
        project.up(1)
        yield project
    finally:
        project.down()


def test_the_balancer_accepts_only_tls(guarded: Project, secrets: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(secrets / "tls.crt"))

    url = f"https://localhost:{guarded.environment['CONVSERVE_TLS_PORT']}/readyz"
    with urllib.request.urlopen(url, context=trusted) as response:
        assert response.status == 200

    published = guarded.compose("ps", "--format", "{{.Ports}}", "balancer")
    assert "->8443/tcp" in published
    assert "->8080/tcp" not in published


@pytest.mark.parametrize(("key", "allowed"), [(KEY, True), ("another", False)], ids=["the key", "another"])
def test_model_control_needs_the_key(guarded: Project, key: str, allowed: bool) -> None:
    (replica,) = guarded.replicas()
    if allowed:
        assert docker("exec", replica, "python", "-c", ORDER, key) == "200"
    else:
        with pytest.raises(DockerFailed, match="401"):
            docker("exec", replica, "python", "-c", ORDER, key)


def test_secrets_are_only_in_files(guarded: Project) -> None:
    containers = guarded.compose("ps", "--quiet").split()

    described = docker("inspect", *containers)
    assert "/run/secrets/tls_key" in described
    assert "secret-token" not in described
    assert KEY not in described
