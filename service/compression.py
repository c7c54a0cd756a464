"""Bodies that are sent compressed (RFC 9110, 8.4.1), both ways: gzip, and deflate, which is zlib's format."""

import zlib

from service.errors import InvalidRequest, TooLarge, UnsupportedEncoding

WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}  # zlib's way to name the two formats
LEVEL = 1  # of 9: the network is usually near, and more costs more time than it saves
WORTH_BYTES = 1024  # a smaller answer fits one packet anyway


def inflate(content: bytes, coding: str, limit: int) -> bytes:
    """Undo a Content-Encoding; never holds more than `limit` bytes of the result.

    Raises UnsupportedEncoding, InvalidRequest where the content is damaged, or TooLarge.
    """
    if coding not in WINDOW_BITS:
        raise UnsupportedEncoding(f"cannot read Content-Encoding: {coding}; send gzip, deflate, or the body as it is")
    parts, size = [], 0
    try:
        while content:  # gzip allows one stream behind another
            stream = zlib.decompressobj(WINDOW_BITS[coding])
            parts.append(stream.decompress(content, limit - size + 1))
            size += len(parts[-1])
            if size > limit:
                raise TooLarge(f"the body unfolds to more than {limit} bytes: send fewer or smaller images")
            if not stream.eof:
                raise InvalidRequest(f"the {coding} body is cut short")
            content = stream.unused_data
    except zlib.error as error:
        raise InvalidRequest(f"the body is not {coding}, as its Content-Encoding says: {error}") from error
    return b"".join(parts)


def deflate(content: bytes, coding: str) -> bytes:
    """Compress for a client that accepts `coding`, which is gzip or deflate."""
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS[coding])
    return stream.compress(content) + stream.flush()
