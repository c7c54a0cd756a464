"""The pages for people, and what programs get at `/`."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from preprocessing.decode import FORMATS
from service.web.routes.pages import PAGES as FOLDERS
from service.web.routes.pages import TYPES

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
NAMESPACE = "http://www.w3.org/2000/svg"  # a name, which nothing is loaded from
PAGES = ["/", "/docs"]
PATHS = {path.name: path for folder in FOLDERS for path in folder.iterdir() if path.suffix in TYPES}
FILES = sorted(PATHS)


def visit(client: FlaskClient, path: str) -> TestResponse:
    return client.get(path, headers={"Accept": CHROME})


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_gets_a_page(client: FlaskClient, path: str) -> None:
    response = visit(client, path)

    assert response.content_type == "text/html; charset=utf-8"
    assert response.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "accept",
    [
        pytest.param(None, id="nothing"),
        pytest.param("*/*", id="anything, as curl and KServe's clients do"),
        pytest.param("application/json", id="JSON"),
        pytest.param("text/html;q=0", id="anything but HTML"),
    ],
)
def test_a_program_gets_the_status(client: FlaskClient, accept: str | None) -> None:
    response = client.get("/", headers={"Accept": accept} if accept else {})

    assert response.get_json() == {"status": "alive", "name": "convserve", "docs": "/docs"}


def test_a_cache_keeps_the_page_and_the_status_apart(client: FlaskClient) -> None:
    assert client.get("/").headers["Vary"] == visit(client, "/").headers["Vary"] == "Accept"


@pytest.mark.parametrize("path", [*PAGES, *(f"/pages/{name}" for name in FILES)])
def test_everything_is_sent_with_a_strict_policy(client: FlaskClient, path: str) -> None:
    headers = visit(client, path).headers
    policy = headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", [*PAGES, *(f"/pages/{name}" for name in FILES)])
def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, path: str) -> None:
    first = visit(client, path)
    second = client.get(path, headers={"Accept": CHROME, "If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (second.status_code, second.data) == (304, b"")


@pytest.mark.parametrize("name", FILES)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    text = PATHS[name].read_text().replace(NAMESPACE, "")

    assert re.findall(r"""https?:|["'(]//|@import|url\(""", text) == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".html")])
def test_nothing_is_inline(name: str) -> None:
    text = PATHS[name].read_text()

    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|<script(?! type=\"module\" src=)", text) == []


@pytest.mark.parametrize("path", PAGES)
def test_everything_that_a_page_asks_for_is_there(client: FlaskClient, path: str) -> None:
    wanted = set(re.findall(r'(?:src|href)="(pages/[^"]+)"', visit(client, path).text))

    assert wanted
    assert {name: client.get(f"/{name}").status_code for name in wanted} == dict.fromkeys(wanted, 200)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_every_module_that_a_script_imports_is_there(name: str) -> None:
    imported = re.findall(r'from "\./([^"]+)"', PATHS[name].read_text())

    assert set(imported) <= set(FILES)


def test_the_page_offers_the_files_that_the_service_reads(client: FlaskClient) -> None:
    (accepted,) = re.findall(r'type="file" accept="([^"]+)"', visit(client, "/").text)

    assert accepted.split(",") == [form.media_type for form in FORMATS]


@pytest.mark.parametrize("name", ["none.js", "openapi.json", "..%2Fapp.py", "%2e%2e%2fapp.py"])
def test_only_the_pages_files_are_sent(client: FlaskClient, name: str) -> None:
    response = client.get(f"/pages/{name}")

    assert response.status_code == 404
    assert response.get_json()["code"] == "route_not_found"
