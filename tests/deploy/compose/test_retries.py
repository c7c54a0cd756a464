"""What the balancer repeats, with a real nginx on this machine and replicas that refuse, are full, or die."""

import re
import resource
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.deploy.compose import ROOT
from tests.support.http.raw_client import RawConnection, request, send_request
from tests.support.processes.service import free_port, until

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on the PATH")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull"
RESET = b"\x01\0\0\0\0\0\0\0"


class Replica:
    """Gives one response to every request; without one it dies of it."""

    def __init__(self) -> None:
        self.response: bytes | None = OK
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.recv(65536)
                self.requests += 1
                if self.response is None:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                else:
                    client.sendall(self.response)
                client.close()

    def close(self) -> None:
        """Refuse connections from now on."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Balancer:
    """nginx with the project's configuration, in front of three replicas on ports of this machine."""

    def __init__(self, folder: Path) -> None:
        self.replicas = [Replica() for _ in range(3)]
        self.port = free_port()
        (folder / "nginx.conf").write_text(self._configuration(folder))
        command = ["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._listens, "nginx listens")

    def _configuration(self, folder: Path) -> str:
        text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
        servers = " ".join(f"server 127.0.0.1:{replica.port} max_fails=0;" for replica in self.replicas)
        for pattern, replacement in (
            (r"resolver 127\.0\.0\.11 .*;", f"upstream replicas {{ {servers} }}"),
            (r"resolver_timeout .*;", ""),
            (r"http://service:8000", "http://replicas"),
            (r"listen 8080;", f"listen 127.0.0.1:{self.port};"),
            (r"listen 8081;", f"listen 127.0.0.1:{free_port()};"),
            (r"include /etc/nginx/tls/.*;", ""),
            (r"/dev/std(out|err)", str(folder / "log")),
            (r"/tmp/(?=nginx.pid|bodies|answers|unused)", f"{folder}/"),  # noqa: S108 - those of the configuration
        ):
            text = re.sub(pattern, replacement, text)
        return text

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def send(self, method: str, times: int = 12) -> Counter[tuple[int, str | None]]:
        """How many requests got which status and which code of an error of the balancer's own."""
        seen: Counter[tuple[int, str | None]] = Counter()
        for _ in range(times):
            response = send_request(self.port, method, "/predict", b"image" if method == "POST" else b"")
            own = response.headers["Content-Type"] == "application/json"
            seen[response.status, response.json()["code"] if own else None] += 1
        return seen

    def close(self) -> None:
        """End nginx."""
        self._process.terminate()
        self._process.wait()
        for replica in self.replicas:
            with suppress(OSError):
                replica.close()


@pytest.fixture
def balancer(tmp_path: Path) -> Iterator[Balancer]:
    balancer = Balancer(tmp_path)
    yield balancer
    balancer.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_replica_that_is_full_or_refuses_costs_no_request(balancer: Balancer, method: str) -> None:
    balancer.replicas[0].response = FULL
    balancer.replicas[1].close()

    assert balancer.send(method) == {(200, None): 12}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_during_which_a_replica_died_is_not_repeated(balancer: Balancer, method: str) -> None:
    for replica in balancer.replicas:
        replica.response = None

    assert balancer.send(method) == {(503, "no_replica"): 12}
    assert sum(replica.requests for replica in balancer.replicas) == 12


def test_nor_where_another_replica_has_refused_it_before(balancer: Balancer) -> None:
    balancer.replicas[0].close()
    for replica in balancer.replicas[1:]:
        replica.response = None

    assert balancer.send("POST") == {(503, "no_replica"): 12}
    assert sum(replica.requests for replica in balancer.replicas) == 12


def test_where_all_are_full_the_client_learns_it_from_them(balancer: Balancer) -> None:
    for replica in balancer.replicas:
        replica.response = FULL

    assert balancer.send("POST", 3) == {(503, None): 3}
    assert sum(replica.requests for replica in balancer.replicas) == 9


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 4096, reason="needs 2,000 open files")
def test_one_address_cannot_have_all_connections(balancer: Balancer) -> None:
    held = [RawConnection(balancer.port) for _ in range(1030)]
    for connection in held:
        connection.send(request("POST", "/predict", content_length="100"))
    time.sleep(0.3)

    crowded = balancer.send("GET", 1)
    other = socket.socket()
    other.bind(("127.0.0.2", 0))
    other.connect(("127.0.0.1", balancer.port))
    other.sendall(request("GET", "/livez"))
    answer = other.recv(20)

    assert crowded == {(503, "overloaded"): 1}
    assert answer.startswith(b"HTTP/1.1 200")
    other.close()
    for connection in held:
        connection.close()
