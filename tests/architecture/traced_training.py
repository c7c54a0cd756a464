"""`python -m training` with its turns written to standard error.

Graphs that are not in eight-bit integers take longer here, so that `export --int8` publishes on every machine.
"""

import os
import time
from typing import Any

from tests.architecture.call_paths import run_traced

SECONDS = 0.001  # more than a small network takes


def slow_down() -> None:
    """Let every run of a float32 graph take longer."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read while it is imported
    import onnxruntime  # noqa: PLC0415 - see above

    class Session(onnxruntime.InferenceSession):  # type: ignore[misc]  # ONNX Runtime ships no type information
        def __init__(self, graph: Any, *arguments: Any, **options: Any) -> None:
            super().__init__(graph, *arguments, **options)
            self._slow = not (isinstance(graph, bytes) and b"QuantizeLinear" in graph)

        def run(self, *arguments: Any, **options: Any) -> Any:
            time.sleep(SECONDS if self._slow else 0)
            return super().run(*arguments, **options)

    onnxruntime.InferenceSession = Session


if __name__ == "__main__":
    slow_down()
    run_traced("training")
