"""The pages in a real browser with a real service: drawn with the mouse, read from the screen."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from preprocessing.png import encode_png
from tests.support.bundles.copies import copy_bundle, flip_a_bit
from tests.support.bundles.tiny import OUTLIERS, publish_tiny, tiny_graph, tiny_metadata
from tests.support.images.drawn import as_file, tiny_image
from tests.support.processes.browser import Tab, browse, find_browser
from tests.support.processes.service import ROOT, running
from training.analysis.mistakes import find_mistakes
from training.analysis.mistakes_page import MistakesPage
from training.data.splits import Split

ONE = [(0.5, 0.15 + 0.07 * step) for step in range(11)]
MODELS = ROOT / "models"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A service with the digits of the repository's own models."""
    if not (MODELS / "mnist").is_dir():
        pytest.skip("there is no models/mnist to draw digits for")
    with running(MODELS) as service:
        yield f"http://127.0.0.1:{service.port}/"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    binary = find_browser()
    if binary is None:
        pytest.skip("no chromium is installed")
    with browse(binary, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def page(browser: Tab, address: str) -> Tab:
    """The page to try the models with, freshly loaded."""
    browser.problems.clear()
    browser.open(address)
    browser.shown("#layers")
    return browser


def tall_stroke() -> Image.Image:
    image = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(image).line((100, 30, 100, 170), fill=0, width=16)
    return image


def test_a_drawn_digit_is_recognised(page: Tab) -> None:
    page.drag("#pad", ONE)

    assert page.shown("#label") == "1"
    assert "inverted" in page.text("#steps")
    assert "infer" in page.text("#timing")
    assert page.evaluate("document.querySelectorAll('#ranking li').length") == 5
    assert page.problems == []


def test_a_drawing_gives_the_command_that_sends_it(page: Tab, address: str) -> None:
    page.drag("#pad", ONE)
    page.shown("#label")

    assert page.text("#command") == f"curl --data-binary @drawing.png {address}models/mnist/predict"
    assert page.evaluate("document.querySelector('#save').download") == "drawing.png"


def test_a_touched_screen_draws_too(page: Tab) -> None:
    box = page.box("#pad")
    points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in ONE]
    page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=points[:1])
    for point in points[1:]:
        page.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[point])
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    assert page.shown("#label") == "1"


def test_a_chosen_image_is_recognised(page: Tab, tmp_path: Path) -> None:
    path = tmp_path / "it's one.png"
    path.write_bytes(as_file(tall_stroke(), "PNG"))
    page.choose_file("#file", path)

    assert page.shown("#label") == "1"
    assert page.text("#command").startswith("curl --data-binary '@it'\\''s one.png' ")


def test_a_broken_image_gets_the_services_error_message(page: Tab, tmp_path: Path) -> None:
    path = tmp_path / "half.png"
    path.write_bytes(as_file(tall_stroke(), "PNG")[:60])
    page.choose_file("#file", path)

    assert page.shown("#failure").startswith("the image ends early, after 60 bytes: send the whole file")
    assert "invalid_image" in page.text("#failure")


def test_clearing_leaves_an_empty_sheet(page: Tab) -> None:
    page.drag("#pad", ONE)
    page.shown("#label")
    page.click("#clear")

    assert page.shown("#waiting")
    assert not page.evaluate("document.querySelector('#prediction').checkVisibility()")


def test_the_layer_table_adds_up(page: Tab) -> None:
    table, totals = page.text("#layers"), page.text("#totals")

    assert "3 × 3 × 1 × 32" in table
    assert "64 × 10 + 10" in table
    assert "(None, 28, 28, 32)" in table
    assert "93,994" in totals


def test_a_phone_shows_the_whole_width(page: Tab) -> None:
    page.resize(360, 740, phone=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.call("Emulation.clearDeviceMetricsOverride")

    assert width == 360


def test_the_description_is_laid_out_to_be_read(browser: Tab, address: str) -> None:
    browser.problems.clear()
    browser.open(f"{address}docs")

    assert "curl --data-binary @picture.png" in browser.shown("#predict")
    assert browser.shown("#schema-Error")
    assert browser.problems == []


def test_the_page_says_why_a_model_abstains(browser: Tab, tmp_path: Path) -> None:
    dim, bright, models = tmp_path / "dim.png", tmp_path / "bright.png", tmp_path / "models"
    dim.write_bytes(encode_png(tiny_image(1) // 2))  # 0.785 for the middle
    bright.write_bytes(encode_png(np.full_like(tiny_image(1), 255)))
    output = dataclasses.replace(
        tiny_metadata("mnist").output, abstain_below=0.9, outlier_output=OUTLIERS, outlier_above=200.0
    )
    publish_tiny(models, "mnist", output=output, network=tiny_graph(outliers=True))
    with running(models) as service:
        browser.open(f"http://127.0.0.1:{service.port}/")
        about = browser.shown("#about")
        browser.choose_file("#file", dim)
        label, unsure = browser.shown("#label"), browser.text("#probability")
        browser.choose_file("#file", bright)
        browser.shown("#label")
        unlike = browser.text("#probability")

    assert "Below 90.00\u00a0% it says that it is not sure. It says when a picture is unlike" in about
    assert label == "middle"
    assert re.fullmatch("the model is not sure; best guess, 78\\.[0-9]{2}\u00a0%", unsure)
    assert unlike.startswith("unlike anything that this model has learned; best guess, ")


def test_what_is_on_trial_and_what_is_not_served_is_said(browser: Tab, tmp_path: Path) -> None:
    publish_tiny(tmp_path, "mnist", 1)
    publish_tiny(tmp_path, "mnist", 2)
    copy_bundle(tmp_path / "mnist" / "2", tmp_path / "mnist" / "3", flip_a_bit)
    (tmp_path / "serving.json").write_text('{"models": {"mnist": {"canary": {"version": 2, "share": 0.25}}}}')
    with running(tmp_path) as service:
        browser.open(f"http://127.0.0.1:{service.port}/")
        about, absent = browser.shown("#about"), browser.shown("#absent")

    assert "Version 1, right on 100.00\u00a0%" in about
    assert "Version 2, on trial, answers 25.00\u00a0% of the requests" in about
    assert absent.startswith("mnist, version 3, is not served: model.onnx has another SHA-256")


@pytest.fixture
def mistakes(browser: Tab, tmp_path: Path) -> Tab:
    """A page of five mistakes, of which the most confident two are shown; both labels are hard to print."""
    probabilities = np.array([[0.1, 0.9, 0.0]] * 3 + [[0.3, 0.0, 0.7]] * 2 + [[0.9, 0.1, 0.0]], np.float32)
    split = Split(np.stack([tiny_image(place % 3) for place in range(6)]), np.zeros(6, np.int64))
    labels = ("<b>&\"'", "żółw", "a name " * 20)
    page = MistakesPage(
        tiny_metadata("tiny", labels=labels), split, find_mistakes(probabilities, split.labels), count=2
    )
    (tmp_path / "mistakes.html").write_bytes(page.render())
    browser.problems.clear()
    browser.open((tmp_path / "mistakes.html").as_uri())
    return browser


def visible(page: Tab) -> int:
    return int(page.evaluate("[...document.querySelectorAll('.gallery li')].filter(e => e.checkVisibility()).length"))


def test_mistakes_of_one_pair_can_be_chosen_without_a_script(mistakes: Tab) -> None:
    shown = [visible(mistakes)]
    for pair in ("#pair-0-1", "#pair-0-2", "#every"):
        mistakes.click(pair)
        shown.append(visible(mistakes))

    assert shown == [2, 3, 2, 2]
    assert "<b>&\"'" in mistakes.text("table")
    assert mistakes.problems == []


def test_a_phone_shows_the_whole_width_of_the_mistakes(mistakes: Tab) -> None:
    mistakes.resize(360, 740, phone=True)
    width = mistakes.evaluate("document.documentElement.scrollWidth")
    mistakes.call("Emulation.clearDeviceMetricsOverride")

    assert width == 360
