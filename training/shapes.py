"""The arithmetic of shapes: how many values a convolution or a pooling layer gives along one axis."""


def output_size(size: int, kernel: int, stride: int, padding: str) -> int:
    """⌊(W − F + P) / S⌋ + 1, where P is all the zeros added to the axis; notes that write 2P mean those of one side.

    W is the `size` of the input, F the `kernel`, S the `stride`; 0 where the kernel does not fit once. For pooling the
    window is the kernel. Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning",
    arXiv:1603.07285, relationship 6; the floor drops what is left over when the steps do not come out even.
    """
    added = sum(zeros_added(size, kernel, stride, padding))
    return max((size - kernel + added) // stride + 1, 0)


def zeros_added(size: int, kernel: int, stride: int, padding: str) -> tuple[int, int]:
    """Zeros before and after the axis: none for `valid`; for `same` so many that the output has ⌈W / S⌉ values.

    That takes max((⌈W/S⌉ − 1)·S + F − W, 0) of them together, which may be odd: then the end gets the one more. With as
    many on both sides instead, as other frameworks do it, the kernel would stand on other pixels. Source: "Notes on
    padding" in TensorFlow's documentation of the module `tf.nn`, on which Keras computes here.
    """
    if padding == "valid":
        return 0, 0
    steps = -(-size // stride)  # rounded up
    total = max((steps - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
