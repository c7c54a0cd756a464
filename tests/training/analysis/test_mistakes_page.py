import base64
import io
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tests.support.bundles.tiny import LABELS, tiny_metadata
from tests.support.images.drawn import tiny_image
from training.analysis.mistakes import find_mistakes
from training.analysis.mistakes_page import MistakesPage, percent
from training.data.splits import Split

HOSTILE = ("<b>&\"'", "żółw 龜", "</style><script>alert(1)</script>")


class Reader(HTMLParser):
    """What a browser makes of a page: elements with their attributes, and the visible text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def render(wrong: int, right: int = 3, count: int = 48, labels: Sequence[str] = LABELS, channels: int = 1) -> Reader:
    """Images of class 0, of which the first ones are predicted as class 1."""
    images = np.stack([tiny_image(place % 3, channels) for place in range(wrong + right)])
    probabilities = np.array([[0.2, 0.7, 0.1]] * wrong + [[0.9, 0.1, 0.0]] * right, np.float32)
    split = Split(images, np.zeros(wrong + right, np.int64))
    metadata = tiny_metadata("tiny", 7, labels=tuple(labels))
    return Reader(MistakesPage(metadata, split, find_mistakes(probabilities, split.labels), count).render())


def test_the_page_names_the_model_and_its_figures() -> None:
    page = render(wrong=1)

    for said in (
        "tiny",
        "Version 7",
        "4 test images",
        "75.00\u00a0%",
        "90.00\u00a0%",
        "70.00\u00a0%",
        "20.00\u00a0%",
        "left → middle",
    ):
        assert said in page.text


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_inside_the_page_pixel_by_pixel(channels: int) -> None:
    first, *_ = render(wrong=2, channels=channels).all("img")

    source = str(first["src"])
    stored = Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,"))))
    assert np.array_equal(np.asarray(stored).reshape(8, 8, channels), tiny_image(0, channels))
    assert first["class"] == "tiny"


def test_nothing_is_fetched_and_nothing_is_run() -> None:
    page = render(wrong=3)

    assert page.all("script") == []
    places = [value for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "href")]
    assert all(str(place).startswith("data:") for place in places)


def test_names_of_classes_are_text_and_nothing_else() -> None:
    page = render(wrong=2, labels=HOSTILE)

    assert page.all("b") == page.all("script") == []
    assert page.all("img")[0]["alt"] == f"{HOSTILE[0]}, predicted as {HOSTILE[1]}"
    assert f"true {HOSTILE[0]}" in page.text
    assert f"predicted {HOSTILE[1]}" in page.text


@pytest.mark.parametrize(
    ("count", "shown", "sentence"), [(2, 2, "The first 2 of 5"), (5, 5, "All 5"), (99, 5, "All 5")]
)
def test_no_more_mistakes_are_shown_than_there_are(count: int, shown: int, sentence: str) -> None:
    page = render(wrong=5, count=count)

    assert len([item for item in page.all("li") if "more" not in str(item["class"])]) == shown
    assert sentence in page.text


def test_a_pair_can_be_selected_whose_mistakes_are_less_confident() -> None:
    page = render(wrong=5, count=2)

    assert [item["class"] for item in page.all("li")] == ["pair-0-1"] * 2 + ["pair-0-1 more"] * 3
    assert [button["id"] for button in page.all("input")] == ["every", "pair-0-1"]
    assert "main:has(#pair-0-1:checked) .gallery li.pair-0-1 { display: block; }" in page.text


def test_a_model_without_mistakes_has_no_table_and_no_images() -> None:
    page = render(wrong=0)

    assert "No mistakes: every image is right" in page.text
    assert "100.00\u00a0%" in page.text
    assert page.all("img") == page.all("table") == []


def test_every_image_has_a_text_and_every_button_a_label() -> None:
    page = render(wrong=3)

    assert all(image["alt"] for image in page.all("img"))
    assert len(page.all("label")) == len(page.all("input"))
    assert page.all("html")[0]["lang"] == "en"
    assert [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)] == ["h1", "h2", "h2"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.00"), (1e-6, "&lt; 0.01"), (0.5, "50.00"), (0.9999, "99.99"), (0.999999, "&gt; 99.99"), (1.0, "100.00")],
)
def test_only_exact_shares_are_rounded_to_0_or_100(share: float, text: str) -> None:
    assert percent(share) == f"{text}\u00a0%"
