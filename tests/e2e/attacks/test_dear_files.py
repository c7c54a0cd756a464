"""Image files that cost far more than their bytes: each client gets a response, and others do not wait for it."""

import pytest

from tests.support.attacks.attack import attack, statuses
from tests.support.attacks.dear_files import DEAR_FILES, dear_file
from tests.support.attacks.forms import FORMS, packed
from tests.support.processes.service import RunningService

CONNECTIONS = 6  # more than there are workers, so that each gets some
FEW_MEGABYTES = 11_000_000  # as base64 it is within the limit of a body
SHORT = ("JPEG of 8,000 empty scans", "WebP of 46 bytes", "TIFF, fax of 1.23 M rows", "PNG, LA, turned, 1 × 50,000,000")


def assert_nobody_notices(service: RunningService, name: str, form: str) -> None:
    request = FORMS[form]([dear_file(name)])
    with attack(service) as seen:
        replies = seen.send([request] * CONNECTIONS, CONNECTIONS)

    assert seen.complaints() == []
    assert statuses(replies) <= {200, 400, 413, 503, 504}


@pytest.mark.parametrize("name", SHORT)
def test_a_file_that_costs_seconds_or_gigabytes_delays_nobody_else(service: RunningService, name: str) -> None:
    assert_nobody_notices(service, name, "gzip")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in DEAR_FILES if name not in SHORT])
def test_no_kind_of_dear_file_delays_anybody_else(service: RunningService, name: str) -> None:
    assert_nobody_notices(service, name, "gzip")


@pytest.mark.slow
@pytest.mark.parametrize("form", [form for form in FORMS if form != "gzip"])
@pytest.mark.parametrize("name", [*SHORT, "TIFF of 8 M strips", "JPEG of 8 M bare markers", "PNG of 15,900 profiles"])
def test_a_dear_file_delays_nobody_in_any_form(service: RunningService, name: str, form: str) -> None:
    if form in ("JSON", "v1", "v2") and len(dear_file(name)) > FEW_MEGABYTES:
        pytest.skip("as base64 it is over the limit of bytes")
    assert_nobody_notices(service, name, form)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["multipart", "JSON", "v1", "v2", "v2 binary"])
@pytest.mark.parametrize(
    ("name", "number"),
    [("WebP of 46 bytes", 64), ("JPEG of 8,000 empty scans", 100), ("PNG of 60 texts of 1 MB", 100)],
)
def test_many_dear_files_in_one_request_delay_nobody_else(
    service: RunningService, name: str, number: int, form: str
) -> None:
    request = FORMS[form]([dear_file(name)] * number)
    with attack(service) as seen:
        replies = seen.send([request] * CONNECTIONS, CONNECTIONS)

    assert seen.complaints() == []
    assert statuses(replies) <= {400, 413, 503, 504}


@pytest.mark.slow
def test_a_minute_of_all_dear_files_at_once_leaves_no_memory_behind(service: RunningService) -> None:
    requests = [packed([dear_file(name)]) for name in DEAR_FILES]
    with attack(service) as seen:
        seen.send(requests * 2, 16)

    complaints = [line for line in seen.complaints() if " after " not in line]  # 16 wait for the helpers at once
    assert complaints == []
