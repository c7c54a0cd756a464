"""`python -m bench`: the benchmarks' command line, and the one place where they read the environment."""

import os
import sys

from bench.clients.http_client import RequestFailed
from bench.clients.traffic import GeneratorFailed
from bench.commands import COMMANDS
from bench.connection_balance import ConnectionsNotVisible
from bench.options import read_options
from bench.service_process import ServiceNotReady
from modelrepo.errors import RepositoryError


def main() -> int:
    """Run the chosen benchmark; 1 where a request failed, as the figures are then worthless."""
    options = read_options(sys.argv[1:], os.environ)
    try:
        return COMMANDS[options.benchmark](options, os.environ)
    except (OSError, GeneratorFailed, RepositoryError, ServiceNotReady, RequestFailed, ConnectionsNotVisible) as error:
        sys.exit(f"cannot measure: {error}")


if __name__ == "__main__":
    sys.exit(main())
