"""The layer table as the text that Keras's `model.summary()` prints."""

from collections.abc import Sequence

from modelrepo.metadata import Layer, Metadata

_BYTES_PER_PARAMETER = 4  # float32


def layer_table(metadata: Metadata) -> str:
    """Name and type, output shape and parameters of every layer, and the totals."""
    rows = [(f"{layer.name} ({layer.type})", _shape(layer), f"{layer.parameters:,}") for layer in metadata.layers]
    counts = metadata.parameters
    totals = [("Total", counts.total), ("Trainable", counts.trainable), ("Non-trainable", counts.non_trainable)]
    lines = [f'Model: "{metadata.name}"', *_box(("Layer (type)", "Output Shape", "Param #"), rows)]
    lines += [f" {name} params: {count:,} ({_size(count * _BYTES_PER_PARAMETER)})" for name, count in totals]
    return "\n".join(lines) + "\n"


def _shape(layer: Layer) -> str:
    return f"({', '.join(str(length) for length in layer.output_shape)})"


def _box(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in [heads, *rows]) + 2 for column in range(len(heads))]
    lines = [_cells(row, widths, "│") for row in rows]
    rule = _rule(widths, "├┼┤", "─")
    body = [line for row in lines for line in (row, rule)][:-1]
    top = [_rule(widths, "┏┳┓", "━"), _cells(heads, widths, "┃"), _rule(widths, "┡╇┩", "━")]
    return [*top, *body, _rule(widths, "└┴┘", "─")]


def _rule(widths: Sequence[int], corners: str, line: str) -> str:
    return corners[0] + corners[1].join(line * width for width in widths) + corners[2]


def _cells(row: Sequence[str], widths: Sequence[int], bar: str) -> str:
    """Text to the left, and the last column, the numbers, to the right."""
    *texts, number = row
    cells = [f" {text}".ljust(width) for text, width in zip(texts, widths, strict=False)]
    return bar + bar.join([*cells, f"{number} ".rjust(widths[-1])]) + bar


def _size(count: int) -> str:
    """Bytes as Keras writes them, in units of 1,024."""
    size = float(count)
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"
