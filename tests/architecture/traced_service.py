"""`python -m service` with its turns written to standard error."""

from tests.architecture.call_paths import run_traced

if __name__ == "__main__":
    run_traced("service")
