"""What happens to an image file that is taken for text on its way, as its bytes show."""

_GONE = "its line breaks are gone, as curl -d @file removes them: send it with --data-binary @file"
_CHANGED = "its line breaks were changed: read and send the file as bytes, not as text"
_REPLACED = "its bytes were read as text, and those that are none were replaced: read and send the file as bytes"
_ENCODED = "its bytes were read as characters and encoded as UTF-8: read and send the file as bytes"

_BEGINNINGS = {  # what is left of the signature of a PNG, which is made to show this, and of a JPEG's
    b"\x89PNG\x1a": _GONE,
    b"\x89PNG\n\x1a": _CHANGED,
    b"\x89PNG\r\r\n": _CHANGED,
    b"\x89PNG\r\n\x1a\r\n": _CHANGED,
    b"\xef\xbf\xbdPNG": _REPLACED,
    b"?PNG": _REPLACED,
    b"\xef\xbf\xbd\xef\xbf\xbd": _REPLACED,
    b"\xc2\x89PNG": _ENCODED,
    b"\xc3\xbf\xc3\x98\xc3\xbf": _ENCODED,
}
_IMAGES = (b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*", b"MM\0*")  # all have a zero byte among the first twelve
_MANY_BYTES = 1024  # of which none is a line break once in 3,000 times, where they are random


def describe_transfer_damage(content: bytes) -> str | None:
    """What was done to a file that cannot be decoded, and what to do; None where its bytes do not show it.

    `curl -d @file` leaves out line breaks, and zero bytes with what follows them in a line.
    """
    for beginning, sentence in _BEGINNINGS.items():
        if content.startswith(beginning):
            return sentence
    has_breaks = b"\n" in content or b"\r" in content
    is_text = content[:64].isascii() and content[:64].decode().isprintable()
    if has_breaks or is_text or not content.startswith(_IMAGES):
        return None
    return _GONE if b"\0" not in content or len(content) >= _MANY_BYTES else None
