"""Mutations of a request's headers, path, query and method."""

from dataclasses import replace

from tests.support.fuzz.corpus import HEADER_LENGTH, Request
from tests.support.fuzz.random_choice import Random, pick

# Headers

LONG = "a" * 9000
HEADERS: dict[str, tuple[str, ...]] = {
    HEADER_LENGTH: (
        *("-1", "0", "1", "00", "64", "100000", "+5", "0x10", "1e3", "1.0", "", " ", "abc", "1,2", "\xb2", "\xff"),
        *("18446744073709551616", "1" * 5000),
    ),
    "Content-Type": (
        *("", "image/png", "IMAGE/PNG", "image/", "image/png;", "image/svg+xml", "application/json", "text/html"),
        *("application/json; charset=utf-16", "application/json; charset=nonsense", "application/x-npy"),
        *("application/octet-stream", "application/x-www-form-urlencoded", "/", ";;;", "\xff\xfe", "a" * 5000),
        *("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=b"),
        *('multipart/form-data; boundary="b', "multipart/form-data; boundary=" + "b" * 300, "multipart/mixed"),
        *("multipart/form-data; boundary=b; boundary=c", "multipart/form-data; boundary*=utf-8''b"),
    ),
    "Content-Encoding": ("gzip", "deflate", "br", "GZIP", "identity", "gzip, gzip", "", "x-gzip", "\xe9", "a" * 3000),
    "Accept-Encoding": (
        *("gzip", "deflate", "*", "br", "gzip;q=0", "gzip;q=x", "gzip;q=1e999", "identity;q=0, *;q=0", ";;,,", ""),
        *("gzip, deflate, br", "deflate;q=0.5, gzip;q=0.4", "GZIP", "\xff", "gzip," * 1500),
    ),
    "Accept": ("text/plain", "text/html", "*/*;q=nan", ";,", "text/html;q=-1", "a/b/c", "\xff", "text/html," * 500),
    "X-Request-ID": ("", "a" * 128, "a" * 129, "a b", "<script>", "\xff", "\t", "abc", "%0d%0a", "a\x00b"),
    "Host": ("", "[", "[::1", "a:b:c", "a b", "\xff", "test:99999999", "..", "a" * 300, "test/x?y#z", "user@test"),
    "Connection": ("close", "keep-alive", "upgrade", "close, keep-alive", "", "\xff", "X-Request-ID"),
    "Expect": ("100-continue", "100-Continue", "200-ok", ""),
    "If-None-Match": ("*", '"a"', "W/", '"', "\xff", '"a",' * 1000),
    "If-Modified-Since": ("now", "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Jan 99999 00:00:00 GMT", ""),
    "Range": ("bytes=0-0", "bytes=-1", "bytes=9-1", "bytes=99999999999999999999-", "lines=1", "bytes=0-0," * 500),
    "Cookie": ("a=b", "=;=;", "a" * 5000, "\xff"),
    "Authorization": ("Basic !!!", "Basic", "Bearer x", "Digest a=\xff"),
    "Upgrade": ("websocket", "h2c"),
    "Cache-Control": ("no-cache", "max-age=x"),
    "X-Forwarded-For": ("::1", "a" * 500),
    "X-HTTP-Method-Override": ("DELETE",),
    "Content-Length-": ("1",),
    "Content_Length": ("1",),
    "Bad Name": ("x",),
    "": ("x",),
    "Folded": ("a\r\n b", "a\r\n\tb"),
}


def change_header(request: Request, random: Random) -> Request:
    """Give a header an unusual value, instead of the right one, beside it, or twice."""
    name = pick(random, list(HEADERS))
    value = pick(random, HEADERS[name])
    changed = request.with_header(name, *[value] * pick(random, (1, 1, 1, 2)))
    if name == HEADER_LENGTH:
        return replace(changed, announced=request.announced and random.random() < 0.1)
    return changed


def remove_header(request: Request, random: Random) -> Request:
    """Remove one of the headers that describe the body."""
    if request.announced and random.random() < 0.5:
        return replace(request, announced=False)
    return request.with_header(pick(random, request.headers)[0]) if request.headers else request


def add_many_headers(request: Request, random: Random) -> Request:
    """Add many header fields, or a very long one."""
    if random.random() < 0.5:
        return request.with_header("X-Long", LONG[: pick(random, (8000, 9000))])
    return replace(request, headers=(*request.headers, *[("X-Many", "a")] * pick(random, (50, 70))))


def change_header_length(request: Request, random: Random) -> Request:
    """Change the given length of the JSON by a little."""
    wrong = max(0, len(request.json) + int(random.integers(-3, 4)))
    return replace(request.with_header(HEADER_LENGTH, str(wrong)), announced=False)


# Paths, queries and methods

SEGMENTS = (
    *("mnist", "colour", "written", "nothing", "1", "2", "3", "0", "-1", "99999999999999999999", "abc", "1.0", "01"),
    *("%00", "a%00b", "%2F", "%2e%2e", "..", ".", "%", "%zz", "%FF%FE", "%C3%A9", "\xff", "%0d%0a", "%25", "%EF%BC%91"),
    *("a" * 300, "a" * 9000, "%20" * 500, "mnist:predict", "mnist%3Apredict", "mnist:", ":", "mnist:foo", "MNIST"),
    *("stats", "versions", "labels", "models", "infer", "predict", "<name>", "{}", "mnist;a=b", "a b", "", "#", "\t"),
    *("systemsharedmemory", "region", "status", "repository", "index", "load", "metadata", "ready", "style.css"),
)


def change_segment(request: Request, random: Random) -> Request:
    """Replace, remove, double or add a part of the path."""
    first, *parts = request.path.split("/")
    at = int(random.integers(len(parts) + 1))
    until = at + pick(random, (0, 1, 1, 1, 2))
    parts[at:until] = [pick(random, SEGMENTS)] * pick(random, (0, 1, 1, 1, 1, 2))
    return replace(request, path="/".join([first, *parts]))


def rewrite_path(request: Request, random: Random) -> Request:
    """Write the same path in another way."""
    path = request.path
    forms = (
        f"/{path}",
        f"{path}/",
        f"{path}//",
        path.replace("/", "//"),
        path.replace("models", "MODELS"),
        path.removeprefix("/"),
        f"http://test{path}",
        f"https://user@[::1]:9{path}",
        f"//test{path}",
        "*",
        "".join(f"%{ord(character):02x}" if character.isalpha() else character for character in path),
        path.replace("/", "%2F"),
        f"/..{path}",
        f"{path}%00",
        f"{path}#x",
        f"{path};x=y",
        path + "%20",
        path[:-1],
        path[: int(random.integers(len(path) + 1))],
    )
    return replace(request, path=pick(random, forms))


QUERIES = (
    *("top_k=1", "top_k=3", "top_k=4", "top_k=0", "top_k=-1", "top_k=99999999999999999999", "top_k=%FF", "top_k=\xb2"),
    *("top_k=1&top_k=2", "top_k", "top_k=", "version=1", "version=0", "version=-1", "version=abc", "version=%EF%BC%91"),
    *("version=99999999999999999999", "version=3", "model=mnist", "model=nothing", "model=", "model=%00", "model=\xff"),
    *("model=written", "model=..%2F..", "format=text", "format=xml", "format=%", "&&&===", "%", "%zz=%zz", "?" * 100),
    *("a" * 7000, "a" * 9000, "a=b&" * 1500, "top_k=" + "9" * 5000, "a[]=1&a[b]=2", "model=colour&version=1&top_k=2"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "head", "Post", "PRI")


def change_query(request: Request, random: Random) -> Request:
    """Add a query, known to this route or not."""
    return replace(request, query="&".join(pick(random, QUERIES) for _ in range(pick(random, (1, 1, 2)))))


def change_method(request: Request, random: Random) -> Request:
    """Use another method, or none."""
    return replace(request, method=pick(random, (*METHODS, "M-SEARCH", "X" * 100, "\xff", "P@ST", "")))


def send_in_chunks(request: Request, _: Random) -> Request:
    """Send the same body in chunks, without its length or with it."""
    return replace(request, chunked=not request.chunked)
