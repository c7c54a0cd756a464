"""What all charts share: their colours, and how a figure becomes a PNG file.

Matplotlib through its objects and the Agg canvas, without `pyplot`, which keeps every figure alive in a global.
"""

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

DPI = 120
BLUE, ORANGE, GREY = "#1f5fa8", "#e07b1a", "#5f6b76"  # tell apart for every kind of colour vision
SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#a9c9ec", BLUE, "#0d2c54"])


def as_png(figure: Figure) -> bytes:
    """The figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, dpi=DPI, format="png")
    return buffer.getvalue()
