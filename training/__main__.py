"""`python -m training`: the process's entry, and the one place where this side touches the environment."""

import os
import signal
import sys

# TensorFlow's C++ half logs which CPU features and GPUs it found, at every import and past Python's logging; it reads
# this variable while it is being loaded, so it is set before anything else is imported. 3 leaves fatal errors only:
# what goes wrong short of that arrives as a Python exception anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# ONNX Runtime reports to its makers unless it is told not to before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from training.cli.main import main

if __name__ == "__main__":
    # Containers and schedulers end a process by SIGTERM: let it clean up as it does after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:], os.environ.get("TF_CONFIG")))
