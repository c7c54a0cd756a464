"""A page of mistakes: one HTML file with its images inside, which needs no network and no JavaScript.

Names of classes are other people's words: every text goes through `escape`.
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
_PAIRS = 10  # rows of the table: as many as one looks at
_EACH = 12  # mistakes of one pair that are there to be chosen, also where others are more confident
_TINY = 64  # pixels of a side up to which an image is enlarged as squares, not smoothed


@dataclass(frozen=True)
class MistakesPage:
    """What the page shows: the first `count` of a model's mistakes on a split."""

    metadata: Metadata
    split: Split
    mistakes: Mistakes
    count: int

    def render(self) -> bytes:
        """The file's content."""
        pairs = self.mistakes.pairs()[:_PAIRS]
        template = Template((_PAGES / "mistakes.html").read_text(encoding="utf-8"))
        page = template.substitute(
            title=escape(f"What {self.metadata.name} takes for something else"),
            style=(_PAGES / "mistakes.css").read_text(encoding="utf-8"),
            filters="\n".join(_filter(pair) for pair, _ in pairs),
            about=escape(f"Version {self.metadata.version}, on {self.mistakes.examples:,} test images."),
            facts="\n".join(self._facts()),
            found=self._found(pairs) if pairs else "<h2>No mistakes: every image is right</h2>",
        )
        return page.encode()

    def _facts(self) -> list[str]:
        found = self.mistakes
        facts = [
            ("accuracy", percent(found.accuracy)),
            ("mistakes", f"{len(found.every):,}"),
            ("mean confidence when right", _percent_or_dash(found.confidence_right)),
            ("mean confidence when wrong", _percent_or_dash(found.confidence_wrong)),
        ]
        return [f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts]

    def _found(self, pairs: list[tuple[Pair, int]]) -> str:
        every = len(self.mistakes.every)
        which = f"The first {self.count:,} of {every:,}" if every > self.count else f"All {every:,}"
        chosen = list(self._choose({pair for pair, _ in pairs}))
        figures = "\n".join(f'<li class="{kinds}">{self._figure(mistake)}</li>' for kinds, mistake in chosen)
        return (
            f"<h2>The most frequent confusions</h2>\n{self._table([each for _, each in chosen], pairs)}\n"
            f'<h2>The most confident mistakes</h2>\n<p class="muted">{which}, the most confident first. '
            f"Choose a confusion above to see its own.</p>\n"
            f'<ol class="gallery">\n{figures}\n</ol>'
        )

    def _choose(self, pairs: set[Pair]) -> Iterator[tuple[str, Mistake]]:
        """The first mistakes of all and the first of each pair, with their classes in the style sheet."""
        seen = Counter[Pair]()
        for place, mistake in enumerate(self.mistakes.every):
            seen[mistake.pair] += 1
            if place < self.count:
                yield _name(mistake.pair), mistake
            elif mistake.pair in pairs and seen[mistake.pair] <= _EACH:
                yield f"{_name(mistake.pair)} more", mistake

    def _table(self, chosen: list[Mistake], pairs: list[tuple[Pair, int]]) -> str:
        below = Counter(mistake.pair for mistake in chosen)
        every, examples = len(self.mistakes.every), self.split.labels
        rows = [_row("every", "all mistakes", every, len(examples), min(self.count, every))]
        rows += [
            _row(_name(pair), self._arrow(pair), count, int((examples == pair[0]).sum()), below[pair])
            for pair, count in pairs
        ]
        heads = '<th scope="col">is → taken for</th><th scope="col">images</th>'
        heads += '<th scope="col" class="share">of its class</th><th scope="col">shown below</th>'
        return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>"

    def _arrow(self, pair: Pair) -> str:
        true, taken = (escape(self.metadata.labels[index]) for index in pair)
        return f'{true} <span class="arrow" role="img" aria-label="taken for">→</span> {taken}'

    def _figure(self, mistake: Mistake) -> str:
        labels = self.metadata.labels
        true, taken = labels[mistake.true], labels[mistake.taken]
        return (
            f"<figure>{_image(self.split.images[mistake.position], f'{true}, taken for {taken}')}<figcaption>"
            f"{_bar('wrong', f'taken for {taken}', mistake.probability)}"
            f"{_bar('right', f'is {true}', mistake.true_probability)}"
            f'<p class="position">image {mistake.position}</p></figcaption></figure>'
        )


def percent(share: float) -> str:
    """Two decimals, and nothing certain or impossible that is not."""
    if 0 < share < 0.00005:
        return "&lt; 0.01\u00a0%"
    if 0.99995 <= share < 1:
        return "&gt; 99.99\u00a0%"
    return f"{share * 100:.2f}\u00a0%"


def _percent_or_dash(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _name(pair: Pair) -> str:
    """A class of the page's own, from numbers, so that nobody's label ends up in the style sheet."""
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
