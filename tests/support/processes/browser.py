"""Chromium, controlled over the DevTools protocol through a pipe, so that no driver is needed."""

import base64
import json
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # containers have no user namespaces, and the only page is our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and answers on 4; what it prints must not get between the answers.
LAUNCH = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1'
TIMEOUT = 30.0  # seconds to wait for a response or a change of the page

Message = dict[str, Any]


def find_browser() -> str | None:
    """The path of an installed Chromium."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page in a browser, and all its errors."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.problems: list[str] = []
        self._process = process
        self._buffer = b""
        self._number = 0
        self._session: Message = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Message:
        """Send a command and wait for its response."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        self._process.stdin.flush()
        while True:
            response = self._receive()
            if response.get("id") == self._number:
                assert "error" not in response, response["error"]
                result: Message = response["result"]
                return result
            self._note(response)

    def open(self, url: str) -> None:
        """Go to a page and wait until its scripts ran."""
        self.call("Page.navigate", url=url)
        self.wait_for(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Wait until an expression is true, and return its value."""
        deadline = time.monotonic() + TIMEOUT
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, f"{expression} did not come true; the page said: {self.problems}"
            time.sleep(0.02)
        return value

    def text(self, selector: str) -> str:
        """The visible text of an element."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def shown(self, selector: str) -> str:
        """The text of an element, as soon as it is visible and has one."""
        element = f"document.querySelector({json.dumps(selector)})"
        return str(self.wait_for(f"{element}?.checkVisibility() && {element}.innerText.trim()"))

    def drag(self, selector: str, path: list[tuple[float, float]]) -> None:
        """Press the mouse on an element, move it along a path and let go; points are shares of the element's sides."""
        box = self.box(selector)
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]
        self._mouse("mousePressed", points[0])
        for point in points[1:]:
            self._mouse("mouseMoved", point)
        self._mouse("mouseReleased", points[-1])

    def box(self, selector: str) -> dict[str, float]:
        """The place of an element in the window, after scrolling to it."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{element}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        box: dict[str, float] = self.evaluate(f"{element}.getBoundingClientRect().toJSON()")
        return box

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of an element."""
        self.drag(selector, [(0.5, 0.5)])

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file for a file input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        """Change the size of the window."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def prefer(self, scheme: str) -> None:
        """Prefer the color scheme `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _mouse(self, kind: str, point: tuple[float, float]) -> None:
        x, y = point
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def _receive(self) -> Message:
        assert self._process.stdout is not None
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._process.stdout], [], [], TIMEOUT)
            assert ready, "the browser does not answer"
            received = self._process.stdout.read(1 << 20)
            assert received, "the browser has ended"
            self._buffer += received
        first, self._buffer = self._buffer.split(b"\0", 1)
        message: Message = json.loads(first)
        return message

    def _note(self, event: Message) -> None:
        """Record errors, as the console shows them."""
        if event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(str(event["params"]["exceptionDetails"]))
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            self.problems.append(event["params"]["entry"]["text"])


@contextmanager
def browse(binary: str, profile: Path) -> Iterator[Tab]:
    """Start a browser with its own profile; it ends with the block."""
    command = ["sh", "-c", LAUNCH, "sh", binary, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            yield Tab(process)
        finally:
            process.terminate()
