"""Content-Encoding of bodies (RFC 9110, 8.4.1), in both directions: gzip, and deflate, which is zlib's format."""

import zlib

from service.codecs.limits import INFLATE_SLICE, MAX_GZIP_STREAMS
from service.errors import InvalidRequest, TooLarge, UnsupportedEncoding

CODINGS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}  # with zlib's number for the format
OUT_OF_MEMORY = "Error -4 "  # how zlib says Z_MEM_ERROR
LEVEL = 1  # of 9: the client is usually near, and a higher level costs more time than it saves
WORTH_BYTES = 1024  # a smaller response fits one packet anyway


def inflate(content: bytes, coding: str, limit: int) -> bytes:
    """Undo a Content-Encoding; never holds more than `limit` bytes of the result.

    Raises UnsupportedEncoding, InvalidRequest where the content is damaged, or TooLarge.
    """
    if coding not in CODINGS:
        raise UnsupportedEncoding(f"cannot read Content-Encoding: {coding}; send gzip, deflate, or the body as it is")
    inflater = _Inflater(coding, limit)
    try:
        for start in range(0, len(content), INFLATE_SLICE):
            inflater.feed(content[start : start + INFLATE_SLICE])
    except zlib.error as error:
        if str(error).startswith(OUT_OF_MEMORY):
            raise MemoryError from error
        raise InvalidRequest(f"the body is not {coding}, as its Content-Encoding says, or it is damaged") from error
    return inflater.finish() if content else b""


def deflate(content: bytes, coding: str) -> bytes:
    """Compress for a client that accepts `coding`, one of CODINGS."""
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, CODINGS[coding])
    return stream.compress(content) + stream.flush()


class _Inflater:
    """Takes a compressed body slice by slice; of gzip, one stream may stand behind another (RFC 1952, 2.2)."""

    def __init__(self, coding: str, limit: int) -> None:
        self._coding = coding
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._streams = 0
        self._begin()

    def feed(self, data: bytes) -> None:
        while data:
            if self._stream.eof:
                self._begin()
            self._parts.append(self._stream.decompress(data, self._limit - self._size + 1))
            self._size += len(self._parts[-1])
            if self._size > self._limit:
                raise TooLarge(f"the body decompresses to more than {self._limit} bytes: send fewer or smaller images")
            data = self._stream.unused_data

    def finish(self) -> bytes:
        if not self._stream.eof:
            raise InvalidRequest(f"the {self._coding} body is cut short")
        return b"".join(self._parts)

    def _begin(self) -> None:
        self._streams += 1
        if self._streams > (MAX_GZIP_STREAMS if self._coding == "gzip" else 1):
            raise InvalidRequest(f"something follows the end of the {self._coding} body: send one stream")
        self._stream = zlib.decompressobj(CODINGS[self._coding])
