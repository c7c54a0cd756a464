"""Addresses of services."""

import pytest

from bench.target import Target, parse_target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        pytest.param("http://127.0.0.1:8000", Target("127.0.0.1", 8000), id="with a port"),
        pytest.param("http://example.org/", Target("example.org", 80), id="without one"),
        pytest.param("http://[::1]:9000", Target("::1", 9000), id="IPv6"),
    ],
)
def test_an_address_is_read(url: str, target: Target) -> None:
    assert parse_target(url) == target


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "https://example.org", "http://", "http://example.org/predict"])
def test_what_cannot_be_measured_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        parse_target(url)


@pytest.mark.parametrize(
    ("host", "local"), [("localhost", True), ("127.0.0.1", True), ("::1", True), ("10.0.0.7", False), ("box", False)]
)
def test_only_loopback_addresses_are_this_machine(host: str, local: bool) -> None:
    assert Target(host, 8000).local is local


def test_an_ipv6_address_goes_into_brackets() -> None:
    assert Target("::1", 8000).url == "http://[::1]:8000"
