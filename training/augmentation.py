"""How far a training image may be from its original: rules that a recipe states and `distortion` carries out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Augmentation:
    """Bounds of what is drawn anew for every image in every epoch; nothing by default."""

    flip: bool = False  # left for right, every second image
    shift: float = 0.0  # pixels, to each side
    rotate: float = 0.0  # degrees, to each side
    zoom: float = 0.0  # share of the size, larger and smaller
    shear: float = 0.0  # how far a column leans, as a share of its height
    crop: float = (
        0.0  # smallest share of the area that is cut out and enlarged, up to a third wider or higher; 0 is off
    )
    cutout: int = 0  # side in pixels of a square that is covered with black
    fill: str = "constant"  # what lies beyond the edge: constant (black) or reflect (the image mirrored)
