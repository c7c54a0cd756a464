"""`python -m bench`: the benchmarks' command line, and the one place where they read the environment."""

import os
import sys

from bench.commands import COMMANDS
from bench.localservice import ServiceFailed
from bench.messages import Unanswered
from bench.options import read_options
from bench.spread import Unseen
from bench.traffic import NoReport
from modelrepo.errors import RepositoryError


def main() -> int:
    """Run the chosen benchmark; 1 where a request failed, because such figures mean nothing."""
    options = read_options(sys.argv[1:], os.environ)
    try:
        return COMMANDS[options.what](options, os.environ)
    except (OSError, NoReport, RepositoryError, ServiceFailed, Unanswered, Unseen) as error:
        sys.exit(f"cannot measure: {error}")


if __name__ == "__main__":
    sys.exit(main())
