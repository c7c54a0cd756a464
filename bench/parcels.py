"""The bytes of every request that `wire` sends, written before anything is timed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice

from bench.encodings import Encode, Picture, list_encodings
from bench.messages import check_answer
from bench.pictures import Pictures
from bench.target import Target
from bench.workload import read_pixels

IMAGES = 32


@dataclass(frozen=True)
class Parcel:
    """The same images in one encoding, as one request and as a request each."""

    encoding: str
    batch: tuple[bytes, ...]
    singles: tuple[bytes, ...]


def pack(target: Target, model: str, pictures: Pictures) -> tuple[Parcel, ...]:
    """A parcel of IMAGES images for each encoding; raises Unanswered where the service does not know the model."""
    tensor = _input_name(*target.get(f"/v2/models/{model}"))
    images = [Picture(content, read_pixels(content)) for content in islice(cycle(pictures.contents), IMAGES)]
    return write_parcels(target, list_encodings(model, tensor, pictures.content_type), images)


def write_parcels(target: Target, encodings: Mapping[str, Encode], images: list[Picture]) -> tuple[Parcel, ...]:
    """Each encoding's requests, head and body."""
    return tuple(
        Parcel(
            name,
            batch=(encode(images).write(target),),
            singles=tuple(encode([image]).write(target) for image in images),
        )
        for name, encode in encodings.items()
    )


def _input_name(status: int, body: bytes) -> str:
    """From a model's description in v2."""
    return str(json.loads(check_answer(status, body))["inputs"][0]["name"])
