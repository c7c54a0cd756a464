"""Requests written before anything is timed."""

import pytest

from bench.messages import Unanswered
from bench.parcels import IMAGES, pack
from bench.pictures import Pictures
from bench.target import Target
from tests.support.batches import files

PICTURES = Pictures(tuple(files(3)), "image/png", "")


class Describing(Target):
    """A service that describes every model alike."""

    def get(self, path: str) -> tuple[int, bytes]:
        known = path == "/v2/models/mnist"
        return (200, b'{"inputs": [{"name": "pixels"}]}') if known else (404, b'{"error": "no such model"}')


SERVICE = Describing("localhost", 8000)


def test_the_images_are_one_request_or_a_request_each() -> None:
    parcels = pack(SERVICE, "mnist", PICTURES)

    assert all(len(parcel.batch) == 1 and len(parcel.singles) == IMAGES for parcel in parcels)
    assert all(request.startswith(b"POST /") for parcel in parcels for request in parcel.singles)


def test_few_pictures_take_turns() -> None:
    parcel = next(each for each in pack(SERVICE, "mnist", PICTURES) if each.encoding == "native image files")

    assert parcel.singles[:3] == parcel.singles[3:6]
    assert parcel.singles[1].endswith(PICTURES.contents[1])


def test_the_tensor_has_the_name_that_the_service_gives_it() -> None:
    parcel = next(each for each in pack(SERVICE, "mnist", PICTURES) if each.encoding == "v2 JSON")

    assert b'"name":"pixels","shape":[32,8,8,1]' in parcel.batch[0]


def test_a_model_that_the_service_does_not_know_is_an_error() -> None:
    with pytest.raises(Unanswered, match="404: no such model"):
        pack(SERVICE, "flowers", PICTURES)
