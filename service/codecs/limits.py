"""What is too much. `Limits` comes from the settings; the other bounds are fixed, each with its reason."""

from dataclasses import dataclass

from service.errors import TooLarge

# Lists, objects and texts in one JSON document, each of which takes many times the memory of its text.
# 23 photographs of 224 × 224 as lists have 1.2 million.
MAX_JSON_NODES = 1_500_000

# Streams in one gzip body (RFC 1952, 2.2). Tools that write many put at least 64 KB into each.
MAX_GZIP_STREAMS = 1024

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
