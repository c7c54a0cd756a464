"""What inputs weigh, and how they part from the request that brought them."""

import numpy as np

from service.codecs.inputs import EncodedImage, EncodedImages, PixelArray


def test_files_weigh_their_bytes() -> None:
    files = EncodedImages((EncodedImage(b"12345", "one"), EncodedImage(b"678", "two")))

    assert files.nbytes == 8
    assert files.owned() == files


def test_pixels_weigh_their_bytes_and_leave_the_body_behind() -> None:
    body = bytes(1000)
    array = PixelArray(np.frombuffer(body, np.float32, 16).reshape(1, 4, 4, 1))
    owned = array.owned()

    assert (array.nbytes, owned.nbytes) == (64, 64)
    assert array.values.base is not None
    assert owned.values.base is None
    assert (owned.values == array.values).all()
