"""The page of mistakes: one HTML file with its images inside, which needs no network and no JavaScript.

Class names may hold any characters: every text goes through `escape`.
"""

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from modelrepo.metadata import Metadata
from preprocessing.png import encode_png
from training.analysis.mistakes import Mistake, Mistakes, Pair
from training.data.splits import Images, Split

_PAGES = Path(__file__).parent
_PAIRS = 10  # rows of the table
_EACH = 12  # mistakes of one pair that can be selected, also where others are more confident
_TINY = 64  # pixels of a side up to which an image is enlarged as squares, not smoothed


@dataclass(frozen=True)
class MistakesPage:
    """The content of the page: the first `count` of a model's mistakes on a split, and the first ones of each pair."""

    metadata: Metadata
    split: Split
    mistakes: Mistakes
    count: int

    def render(self) -> bytes:
        """The file, in UTF-8."""
        pairs = self.mistakes.pairs()[:_PAIRS]
        template = Template((_PAGES / "mistakes.html").read_text(encoding="utf-8"))
        page = template.substitute(
            title=escape(f"Mistakes of {self.metadata.name}"),
            style=(_PAGES / "mistakes.css").read_text(encoding="utf-8"),
            filters="\n".join(_filter(pair) for pair, _ in pairs),
            about=escape(f"Version {self.metadata.version}, on {self.mistakes.examples:,} test images."),
            metrics="\n".join(self._metrics()),
            mistakes=self._gallery(pairs) if pairs else "<h2>No mistakes: every image is right</h2>",
        )
        return page.encode()

    def _metrics(self) -> list[str]:
        mistakes = self.mistakes
        metrics = [
            ("accuracy", percent(mistakes.accuracy)),
            ("mistakes", f"{len(mistakes.ordered):,}"),
            ("mean confidence when right", _percent_or_dash(mistakes.confidence_right)),
            ("mean confidence when wrong", _percent_or_dash(mistakes.confidence_wrong)),
        ]
        return [f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in metrics]

    def _gallery(self, pairs: list[tuple[Pair, int]]) -> str:
        total = len(self.mistakes.ordered)
        which = f"The first {self.count:,} of {total:,}" if total > self.count else f"All {total:,}"
        chosen = list(self._choose({pair for pair, _ in pairs}))
        figures = "\n".join(f'<li class="{kinds}">{self._figure(mistake)}</li>' for kinds, mistake in chosen)
        return (
            f"<h2>The most frequent confusions</h2>\n{self._table([each for _, each in chosen], pairs)}\n"
            f'<h2>The most confident mistakes</h2>\n<p class="muted">{which}, the most confident first. '
            f"Choose a confusion above to see its own.</p>\n"
            f'<ol class="gallery">\n{figures}\n</ol>'
        )

    def _choose(self, pairs: set[Pair]) -> Iterator[tuple[str, Mistake]]:
        """The first mistakes of all and the first of each pair, with their CSS classes."""
        seen = Counter[Pair]()
        for place, mistake in enumerate(self.mistakes.ordered):
            seen[mistake.pair] += 1
            if place < self.count:
                yield _name(mistake.pair), mistake
            elif mistake.pair in pairs and seen[mistake.pair] <= _EACH:
                yield f"{_name(mistake.pair)} more", mistake

    def _table(self, chosen: list[Mistake], pairs: list[tuple[Pair, int]]) -> str:
        below = Counter(mistake.pair for mistake in chosen)
        total, labels = len(self.mistakes.ordered), self.split.labels
        rows = [_row("every", "all mistakes", total, len(labels), min(self.count, total))]
        rows += [
            _row(_name(pair), self._arrow(pair), count, int((labels == pair[0]).sum()), below[pair])
            for pair, count in pairs
        ]
        heads = '<th scope="col">true → predicted</th><th scope="col">images</th>'
        heads += '<th scope="col" class="share">of its class</th><th scope="col">shown below</th>'
        return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>"

    def _arrow(self, pair: Pair) -> str:
        true, predicted = (escape(self.metadata.labels[index]) for index in pair)
        return f'{true} <span class="arrow" role="img" aria-label="predicted as">→</span> {predicted}'

    def _figure(self, mistake: Mistake) -> str:
        labels = self.metadata.labels
        true, predicted = labels[mistake.true], labels[mistake.predicted]
        return (
            f"<figure>{_image(self.split.images[mistake.position], f'{true}, predicted as {predicted}')}<figcaption>"
            f"{_bar('wrong', f'predicted {predicted}', mistake.probability)}"
            f"{_bar('right', f'true {true}', mistake.true_probability)}"
            f'<p class="position">image {mistake.position}</p></figcaption></figure>'
        )


def percent(share: float) -> str:
    """A share in percent with two decimals; 0 and 100 only where it is exactly that."""
    if 0 < share < 0.00005:
        return "&lt; 0.01\u00a0%"
    if 0.99995 <= share < 1:
        return "&gt; 99.99\u00a0%"
    return f"{share * 100:.2f}\u00a0%"


def _percent_or_dash(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _name(pair: Pair) -> str:
    """The CSS class of a pair, made of numbers, so that no class name gets into the style sheet."""
    return f"pair-{pair[0]}-{pair[1]}"


def _filter(pair: Pair) -> str:
    name = _name(pair)
    chosen = f"main:has(#{name}:checked) .gallery li"
    return f"{chosen} {{ display: none; }} {chosen}.{name} {{ display: block; }}"


def _row(name: str, text: str, images: int, examples: int, below: int) -> str:
    """A row of the table, with the button that shows its mistakes alone; `text` is HTML already."""
    checked = " checked" if name == "every" else ""
    button = f'<label><input type="radio" name="pair" id="{name}"{checked}><span>{text}</span></label>'
    return (
        f'<tr><td>{button}</td><td>{images:,}</td><td class="share">{percent(images / examples)}</td>'
        f"<td>{below:,}</td></tr>\n"
    )


def _image(image: Images, alternative: str) -> str:
    height, width, _ = image.shape
    tiny = ' class="tiny"' if max(height, width) <= _TINY else ""
    source = base64.b64encode(encode_png(image)).decode()
    sizes = f'width="{width}" height="{height}"'
    return f'<img src="data:image/png;base64,{source}" {sizes} alt="{escape(alternative)}"{tiny}>'


def _bar(kind: str, text: str, probability: float) -> str:
    fill = f'<span class="fill" style="width: {probability:.2%}"></span>'
    return (
        f'<p class="row {kind}"><span class="label">{escape(text)}</span> '
        f'<span class="track">{fill}</span> <span class="value">{percent(probability)}</span></p>'
    )
