"""What is wrong with a native body that no reader takes: a sentence that leads to the fix."""

from preprocessing.decode import is_image
from service.codecs.base64_images import MAX_REFERENCE, describe_reference
from service.codecs.transfer_damage import describe_transfer_damage
from service.errors import InvalidImage, InvalidRequest, RequestError

_CURL = "curl --data-binary @"
_MULTIPART = b"content-disposition:"
_LINE = 74  # bytes of the line that begins a part: boundaries have at most 70 (RFC 2046, 5.1.1)


def describe_body(content: bytes, media_type: str) -> RequestError | None:
    """The error for a body that is known for what it is; None where only its reader can say what is wrong."""
    text = _short_text(content)
    if text.startswith("@"):
        return InvalidRequest(f"the body is the text {text!r:.82}, not that file: send its bytes, as {_CURL}file does")
    reference = describe_reference(text)
    if reference:
        return InvalidRequest(f"the body is {text!r:.82}, {reference}: send its bytes, as {_CURL}file does, with the @")
    if is_multipart(content):
        declared = f"Content-Type says {media_type}" if media_type else "no Content-Type says so"
        return InvalidRequest(f"the body is a form, but {declared}: {_boundary_advice(content)}")
    if content.startswith(b"\x1f\x8b"):
        return InvalidRequest("the body is compressed, and no header says so: add Content-Encoding: gzip")
    if content.startswith(b"PK\x03\x04"):
        return InvalidRequest("the body is a zip archive, as .npz files are: send image files, or one array as .npy")
    damage = describe_transfer_damage(content)
    return InvalidImage(f"the image cannot be decoded: {damage}") if damage else None


def describe_multipart(content: bytes, boundary: str) -> InvalidRequest:
    """The error for a form that is declared as multipart/form-data and cannot be taken apart."""
    if not is_multipart(content) and not content.startswith(b"--"):
        return InvalidRequest(
            "Content-Type says multipart/form-data, but the body does not begin with a part of a form: "
            "leave the header to the HTTP client, or send the image file alone"
        )
    if not boundary:
        return InvalidRequest(f"multipart/form-data has no boundary in Content-Type: {_boundary_advice(content)}")
    delimiter = b"--" + boundary.encode()
    if delimiter not in content:
        wrong = f"the boundary in Content-Type, {boundary!r:.82}, is not the body's"
        return InvalidRequest(f"{wrong}: {_boundary_advice(content)}")
    if not content.rstrip().endswith(delimiter + b"--"):
        return InvalidRequest(
            f"the form is cut short: the line --{boundary:.80}-- that ends it is missing, so send all of it"
        )
    return InvalidRequest('a part of the form has no header Content-Disposition: form-data; name="file"; filename=…')


def check_text_part(name: str, content: bytes) -> None:
    """Raise InvalidRequest for a text field of a form that was meant to be a file."""
    if is_image(content):
        raise InvalidRequest(
            f"the form's part {name!r:.82} is an image file without a filename, so it counts as text: "
            'add one (filename="digit.png"), as curl -F file=@digit.png does'
        )
    text = _short_text(content)
    reference = describe_reference(text)
    if reference:
        is_text = f"the form's field {name!r:.82} is {text!r:.82}, {reference}"
        raise InvalidRequest(f"{is_text}: write @ before it, as in curl -F file=@digit.png")


def is_multipart(content: bytes) -> bool:
    """Whether the body begins like a part of a form."""
    return content.startswith(b"--") and _MULTIPART in content[:1024].lower()


def _boundary_advice(content: bytes) -> str:
    line = content[:_LINE].split(b"\n")[0].strip().removeprefix(b"--").decode("latin-1")
    return f"leave the header to the HTTP client, or write multipart/form-data; boundary={line}"


def _short_text(content: bytes) -> str:
    """The body as text where it is a short line, else nothing."""
    if len(content) > MAX_REFERENCE:
        return ""
    text = content.decode(errors="replace").strip()
    return text if text.isprintable() else ""
