"""What is too much. `Limits` comes from the settings; the other bounds are fixed, each with its reason."""

from dataclasses import dataclass

from service.errors import TooLarge

# Lists, objects and texts in one JSON document, each of which takes many times the memory of its text.
# 23 photographs of 224 × 224 as lists have 1.2 million.
MAX_JSON_NODES = 1_500_000

# Numbers in one JSON document, each of which takes up to 40 bytes and 0.1 µs. The photographs above have 3.5 million.
MAX_JSON_NUMBERS = 4_000_000
# Where the model takes fewer, a document has at most twice what the model takes, and a quarter more lists than that has
# numbers; but no fewer than these are read, so that an error tells what is wrong with the shape.
MIN_JSON_NUMBERS = 1_000_000
MIN_JSON_NODES = 400_000

# Classes with their labels in one response, for all images together. They take 1 µs each, 100 bytes as text.
MAX_RANKED_CLASSES = 100_000

# Bytes of JSON from which on it is counted before it is read, and the garbage collector rests meanwhile: else that
# would walk again and again through the lists that are being made.
MANY_JSON_BYTES = 1 << 16

# Streams in one gzip body (RFC 1952, 2.2). Tools that write many put at least 64 KB into each.
MAX_GZIP_STREAMS = 1024

# Fields of a form that is sent as text: images, and a few parameters.
MAX_FORM_FIELDS = 1024

# Bytes that are inflated at a time: zlib copies what is left of them behind every stream.
INFLATE_SLICE = 1 << 16


@dataclass(frozen=True)
class Limits:
    """Pixels (width × height) of one image and of all images of a request, and images of one request."""

    max_pixels: int
    max_request_pixels: int
    max_images: int

    def check_count(self, images: int) -> None:
        """Raise TooLarge for more images than one request may have."""
        if images > self.max_images:
            raise TooLarge(f"{images} images in one request are too many: send at most {self.max_images} at a time")
