"""What is frozen: image files of every kind under the contracts that they meet, and arrays of pixels."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelrepo.metadata import InputSpec, Preprocessing
from tests.preprocessing.frozen.contracts import CONTRACTS, GRAY, GRAY_RULES, RGB, RGB_RULES, ArrayCase, FileCase
from tests.preprocessing.frozen.file_formats import list_bits, list_deep, list_formats, list_modes
from tests.preprocessing.frozen.pages import list_handwriting
from tests.preprocessing.frozen.patterns import noise
from tests.preprocessing.frozen.shapes import list_alphas, list_exact, list_fits, list_orientations, list_sizes


def list_file_cases() -> list[FileCase]:
    """All image files."""
    both = [
        FileCase(f"{name}, {how}", make, *contract)
        for name, make in {**list_formats(), **list_bits(), **list_modes(), **list_deep()}.items()
        for how, contract in CONTRACTS.items()
    ]
    return [
        *both,
        *list_alphas(),
        *list_orientations(),
        *list_fits(),
        *list_sizes(),
        *list_exact(),
        *list_handwriting(),
    ]


def list_array_cases() -> list[ArrayCase]:
    """All arrays of pixels."""
    whole = replace(RGB, dtype="float32")
    one = replace(GRAY, dtype="float32")
    imagenet: dict[str, Any] = {"scale": 1 / 255, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    contracts: dict[str, tuple[InputSpec, Preprocessing]] = {
        "gray bytes": (GRAY, GRAY_RULES),
        "gray floats": (one, GRAY_RULES),
        "gray scaled": (one, replace(GRAY_RULES, scale=1 / 255)),
        "gray with mean and deviation": (one, replace(GRAY_RULES, scale=1 / 255, mean=(0.1307,), std=(0.3081,))),
        "gray floats, channels first": (replace(one, layout="NCHW"), replace(GRAY_RULES, scale=1 / 127.5)),
        "bytes": (RGB, RGB_RULES),
        "bytes, channels first": (replace(RGB, layout="NCHW"), RGB_RULES),
        "bytes as BGR": (RGB, replace(RGB_RULES, channel_order="bgr")),
        "bytes as BGR, channels first": (replace(RGB, layout="NCHW"), replace(RGB_RULES, channel_order="bgr")),
        "bytes said to be RGB": (RGB, replace(RGB_RULES, channel_order="rgb")),
        "floats": (whole, RGB_RULES),
        "scaled": (whole, replace(RGB_RULES, scale=1 / 255)),
        "mean alone": (whole, replace(RGB_RULES, mean=(123.68, 116.779, 103.939))),
        "deviation alone": (whole, replace(RGB_RULES, std=(58.4, 57.1, 57.4))),
        "ImageNet's numbers": (whole, replace(RGB_RULES, **imagenet)),
        "ImageNet's numbers, channels first": (replace(whole, layout="NCHW"), replace(RGB_RULES, **imagenet)),
        "ImageNet's numbers as BGR": (whole, replace(RGB_RULES, channel_order="bgr", **imagenet)),
        "bytes that are scaled all the same": (RGB, replace(RGB_RULES, scale=1 / 255)),
    }
    return [ArrayCase(name, _batch(spec), spec, rules) for name, (spec, rules) in contracts.items()]


def _batch(spec: InputSpec) -> NDArray[np.uint8]:
    images = [noise(spec.height, spec.width * spec.channels, seed) for seed in (1, 2)]
    return np.stack(images).reshape(2, spec.height, spec.width, spec.channels)
