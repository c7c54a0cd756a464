"""How much one prediction request may ask for."""

from dataclasses import dataclass

from service.errors import TooLarge


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
