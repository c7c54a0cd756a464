"""The table of image files that cost far more than an ordinary one of their size: work, memory, or lines in the log."""

from collections.abc import Callable
from functools import cache

from tests.support.attacks.files import jpeg_files, other_files, png_files, tiff_files

DEAR_FILES: dict[str, Callable[[], bytes]] = {
    # work
    "JPEG of 8,000 empty scans": lambda: jpeg_files.progressive(8000, 7000, 7000),
    "JPEG of 8,000 empty scans, RGB": lambda: jpeg_files.progressive(8000, 4000, 4000, components=3),
    "JPEG of 8,000 empty AC scans": lambda: jpeg_files.progressive(8000, 7000, 7000, coarse=False),
    "JPEG of 300 scans of 48 megapixels": lambda: jpeg_files.progressive(300, 8000, 6000),
    "JPEG of 1.5 M EXIF segments": lambda: jpeg_files.exif_segments(1_500_000),
    "JPEG of 4 M empty markers": lambda: jpeg_files.empty_markers(4_000_000),
    "JPEG of 4 M comments": lambda: jpeg_files.empty_markers(4_000_000, 0xFE),
    "JPEG of 8 M bare markers": lambda: jpeg_files.bare_markers(8_000_000),
    "JPEG of 1,300 Photoshop segments": lambda: jpeg_files.photoshop_segments(1300),
    "PNG of 15,900 profiles": lambda: png_files.profiles(15_900),
    "PNG of 60 texts of 1 MB": lambda: png_files.texts(60),
    "PNG of 1.2 M empty texts": lambda: png_files.empty_chunks(1_200_000),
    "PNG of 1.3 M unknown chunks": lambda: png_files.empty_chunks(1_300_000, b"juNk"),
    "PNG of 1.3 M empty pixel chunks": lambda: png_files.empty_pixel_chunks(1_300_000),
    "PNG of 100,000 frames": lambda: png_files.many_frames(100_000),
    "PNG, interlaced, of 49 megapixels": lambda: png_files.blank(7000, 7000, interlaced=True),
    "TIFF of 8 M strips": lambda: tiff_files.strips(8_000_000),
    "TIFF of 4 M tiles": lambda: tiff_files.tiles(1, 2000, 2000),
    "TIFF of 25,000 tags": lambda: tiff_files.tags(25_000),
    "TIFF, fax of 1.23 M rows": lambda: tiff_files.fax(1_230_000),
    "TIFF, fax of group 4": lambda: tiff_files.fax(1_000_000, coding=tiff_files.FAX4),
    "TIFF, fax of 48 megapixels": lambda: tiff_files.fax(6000, 8000),
    "AVIF of 49 megapixels": other_files.avif,
    "GIF of 3 M comments": lambda: other_files.gif_comments(3_000_000),
    "GIF of 5 M extensions": lambda: other_files.gif_extensions(5_000_000),
    "BMP of 8 M runs": lambda: other_files.bmp_runs(7000, 7000, 8_000_000),
    "WebP of 1.9 M chunks": lambda: other_files.webp_chunks(1_900_000),
    # memory
    "WebP of 46 bytes": other_files.webp,
    "WebP, animated": other_files.webp_animation,
    "GIF of 49 megapixels": other_files.gif,
    "BMP without pixels": other_files.bmp,
    "JPEG of 48 megapixels, CMYK": lambda: jpeg_files.baseline(8000, 6000, 4),
    "JPEG of 65,500 × 760": lambda: jpeg_files.baseline(65_500, 760),
    "PNG, LA, turned, 1 × 50,000,000": lambda: png_files.turned(1, 50_000_000),
    "PNG, RGBA, turned, 49 megapixels": lambda: png_files.turned(7000, 7000, png_files.RGBA),
    "PNG, RGBA of 16 bits, 49 megapixels": lambda: png_files.blank(7000, 7000, png_files.RGBA, 16),
    "PNG of 1 × 50,000,000": lambda: png_files.blank(1, 50_000_000),
    "PNG of 50,000,000 × 1": lambda: png_files.blank(50_000_000, 1),
    "PNG of 16 bits, 49 megapixels": lambda: png_files.blank(7000, 7000, depth=16),
    "PNG, palette, turned": lambda: png_files.turned(1, 50_000_000, png_files.PALETTE),
    "TIFF of 49 million floats": lambda: tiff_files.compressed(7000, 7000, 32, sample_format=3),
    "TIFF, RGBA of 16 bits": lambda: tiff_files.compressed(7000, 7000, 16, 4),
}


@cache
def dear_file(name: str) -> bytes:
    """The bytes of a file of the table; the same at every call."""
    return DEAR_FILES[name]()
