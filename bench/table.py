"""Tables that read well in a terminal and can be pasted into Markdown."""

from collections.abc import Sequence

Row = Sequence[str]


def layout(head: Row, rows: Sequence[Row]) -> str:
    """A Markdown table with aligned columns, numbers to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = [f"{'-' * (width - 1)}:" for width in widths]
    return "\n".join(_line(row, widths) for row in [head, rule, *rows])


def number(value: float | None, digits: int = 0) -> str:
    """A figure with so many decimals, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def _line(row: Row, widths: Sequence[int]) -> str:
    cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
    return f"| {' | '.join(cells)} |"
