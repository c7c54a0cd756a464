"""The first request pays for imports and memory that later ones find ready; here the service pays for it itself."""

import io

from PIL import Image, ImageDraw

from service.inputs import EncodedImage, EncodedImages
from service.predictor import Predictor
from service.stages import Stages


def warm_up(predictor: Predictor) -> None:
    """Classify a drawing of a size that no model has, so that decoding, preprocessing and the graph all run once."""
    page = Image.new("RGB", (75, 50), "white")
    ImageDraw.Draw(page).line([(20, 10), (50, 10), (30, 40)], fill="black", width=4)
    file = io.BytesIO()
    page.save(file, "PNG")
    inputs = EncodedImages((EncodedImage(file.getvalue(), "warm-up"),))
    predictor.classify(inputs, Stages(0.0))
