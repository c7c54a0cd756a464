"""Training and the service make the same pixels of a file, byte for byte, each through its own public functions."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from modelrepo.golden import GoldenImage, GoldenSet
from modelrepo.metadata import InputSpec, Preprocessing
from modelrepo.reader import read_bundle
from preprocessing.decode import DEFAULT_MAX_PIXELS
from preprocessing.png import encode_png
from service.codecs.inputs import EncodedImage, EncodedImages
from service.codecs.limits import Limits
from service.inference.predictor import Predictor
from service.inference.runtime import ModelOutputs
from service.settings import Settings
from tests.preprocessing.frozen.cases import list_file_cases
from tests.preprocessing.frozen.contracts import FileCase
from tests.preprocessing.frozen.freeze import digest, read_table
from tests.support.bundles.tiny import publish_tiny, tiny_metadata
from tests.support.images.drawn import tiny_image
from training.data.image_folder import Folder, read_folder
from training.data.lazy_images import Decoder
from training.data.load import read_split
from training.data.scan import HELD_BYTES, scan_files
from training.data.specs import DatasetSpec
from training.data.splits import ImageArray
from training.evaluation.verify import replay_bundle

FILES, TABLE = list_file_cases(), read_table()["files"]
ALPHAS = ("white", "black", "contrast")
CHOSEN = (
    "PNG gray of 16 bits, as gray",
    "PNG gray of 16 bits, as RGB",
    *(f"PNG dark RGBA on {alpha}, as gray" for alpha in ALPHAS),
    *(f"PNG light RGBA on {alpha}, as RGB" for alpha in ALPHAS),
    "handwriting dark on light",
    "handwriting under a lamp, noisy",
    "handwriting black and transparent",
    "handwriting as a turned JPEG",
)

Pixels = NDArray[np.uint8]


def serve(content: bytes, spec: InputSpec, contract: Preprocessing) -> Pixels:
    """What the service's network is given for a file."""
    predictor = Predictor(
        tiny_metadata("any", input=spec, preprocessing=contract),
        "",
        lambda batch: ModelOutputs(np.zeros((len(batch), 3), np.float32)),
        Limits(max_pixels=50_000_000, max_request_pixels=50_000_000, max_images=1),
    )
    prepared = predictor.prepare(EncodedImages((EncodedImage(content, "image"),)), [])
    pixels: Pixels = prepared.pixels[0]
    return pixels


@pytest.mark.parametrize("hold", [HELD_BYTES, 0], ids=["held", "from the file"])
@pytest.mark.parametrize("name", CHOSEN)
def test_a_folder_is_trained_on_what_the_service_shows_the_network(name: str, hold: int, tmp_path: Path) -> None:
    case = next(each for each in FILES if each.name == name)
    for label in ("one", "other"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "image").write_bytes(case.make())
    size = DatasetSpec("", (case.spec.height, case.spec.width, case.spec.channels), ("one", "other"))

    train = read_folder(Folder(tmp_path, size, case.contract, hold=hold)).dataset.train

    served = serve(case.make(), case.spec, case.contract)
    assert [image.tobytes() for image in train.images] == [served.tobytes()] * 2


def test_training_takes_images_as_large_as_the_service_does_by_default() -> None:
    assert Settings().max_pixels == DEFAULT_MAX_PIXELS


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_training_makes_the_frozen_pixels_of_every_file(case: FileCase, tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(case.make())

    checked = scan_files([str(path)], Decoder(case.spec, case.contract))

    assert digest(checked.images[0]) == TABLE[case.name]["pixels"]


@pytest.mark.parametrize(
    "name", ["exact gray", "exact gray of 16 bits", "exact RGB for gray", "exact gray with a transparent level"]
)
def test_a_known_data_set_kept_as_files_is_read_as_the_service_reads_it(name: str, tmp_path: Path) -> None:
    case = next(each for each in FILES if each.name == name)
    path = tmp_path / "test" / "a" / "image.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(case.make())

    split = read_split(DatasetSpec("known", (28, 28, 1), ("a",)), tmp_path, "test")

    assert split.images[0].tobytes() == serve(case.make(), case.spec, case.contract).tobytes()


def test_golden_images_are_replayed_with_the_pixels_that_the_service_makes(tmp_path: Path) -> None:
    golden = GoldenSet(
        1.0, tuple(GoldenImage(f"{n}.png", encode_png(tiny_image(n)), (1.0, 0.0, 0.0)) for n in range(3))
    )
    bundle = read_bundle(publish_tiny(tmp_path, "tiny", golden=golden))
    batches: list[Pixels] = []

    def classify(images: ImageArray) -> NDArray[np.float32]:
        batches.append(images[:])
        return np.zeros((len(images), 3), np.float32)

    replay_bundle(bundle, classify)

    metadata = bundle.metadata
    served = [serve(image.content, metadata.input, metadata.preprocessing) for image in golden.images]
    assert np.array_equal(batches[0], served)
