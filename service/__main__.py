"""`python -m service`: the one place where the serving side reads the environment."""

import os
import sys

from service.server import Server
from service.settings import InvalidSetting, read_settings


def main() -> None:
    """Start the service and stay until it is told to stop."""
    try:
        settings = read_settings(os.environ)
    except InvalidSetting as error:
        sys.exit(f"convserve cannot start: {error}")
    Server(settings).run()


if __name__ == "__main__":
    main()
