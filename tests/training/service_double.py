"""A small HTTP service that answers predictions as the real one does, for the client's tests."""

import io
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

Scores = Callable[[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]], np.ndarray[tuple[int, ...], np.dtype[np.float32]]]


@contextmanager
def serve(classify: Scores, versions: Collection[str] = ("1",)) -> Iterator[str]:
    """Serve a classifier of [1, 28, 28, 1] on a free port; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keeps connections open

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            url = urlsplit(self.path)
            known = url.path in {f"/models/digits/versions/{version}/predict" for version in versions}
            self.answer(200, predict(classify, body, int(parse_qs(url.query)["top_k"][0]))) if known else self.refuse()

        def refuse(self) -> None:
            self.answer(404, {"error": "no such model", "code": "model_not_found"})

        def answer(self, status: int, document: object) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def predict(classify: Scores, body: bytes, top_k: int) -> object:
    stream = io.BytesIO(body)
    pixels = np.load(stream) if body.startswith(b"\x93NUMPY") else np.asarray(Image.open(stream))
    scores = classify(pixels.reshape(1, 28, 28, 1))[0]
    ranked = [int(index) for index in np.argsort(-scores)[:top_k]]
    rows = [{"label": str(index), "index": index, "probability": float(scores[index])} for index in ranked]
    return {"model_name": "digits", "model_version": 1, "predictions": [{**rows[0], "top_k": rows}]}
