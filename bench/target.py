"""Where the service under test listens."""

import ipaddress
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Target:
    """Host and port of a service; plain HTTP only, because TLS would be measured with it."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://{_bracketed(self.host)}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether the service runs on this machine, so that its CPU time compares with what is measured here."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of one GET on its own connection; raises OSError where nobody answers."""
        connection = HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def parse_target(url: str) -> Target:
    """Read an address such as `http://127.0.0.1:8000`; raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(f"{url!r} is not an address such as http://127.0.0.1:8000")
    return Target(parts.hostname, parts.port or 80)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
