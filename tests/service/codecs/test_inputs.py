"""The size of inputs, and copies of them without the body of the request."""

import numpy as np

from service.codecs.inputs import EncodedImage, EncodedImages, PixelArray


def test_the_size_of_files_is_their_bytes() -> None:
    files = EncodedImages((EncodedImage(b"12345", "one"), EncodedImage(b"678", "two")))

    assert files.nbytes == 8
    assert files.owned() == files


def test_the_size_of_pixels_is_their_bytes_and_a_copy_frees_the_body() -> None:
    body = bytes(1000)
    array = PixelArray(np.frombuffer(body, np.float32, 16).reshape(1, 4, 4, 1))
    owned = array.owned()

    assert (array.nbytes, owned.nbytes) == (64, 64)
    assert array.values.base is not None
    assert owned.values.base is None
    assert (owned.values == array.values).all()
