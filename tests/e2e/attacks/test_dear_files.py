"""Image files that cost far more than their bytes: each client gets a response, and others do not wait for it."""

import pytest

from tests.support.attacks.attack import attack, statuses
from tests.support.attacks.files.dear_files import DEAR_FILES, dear_file
from tests.support.attacks.forms import FORMS
from tests.support.processes.service import RunningService

CONNECTIONS = 6  # more than there are workers, so that each gets some
LARGE, FEW = 8_000_000, 2  # a file of so many bytes takes a worker long to decompress: one for each worker
FEW_MEGABYTES = 11_000_000  # as base64 it is within the limit of a body
SHORT = ("WebP of 46 bytes", "PNG, LA, turned, 1 × 50,000,000")
WORST = ("JPEG of 8,000 empty scans", "TIFF of 8 M strips", "JPEG of 8 M bare markers", "PNG of 15,900 profiles")


def assert_nobody_notices(service: RunningService, name: str, form: str) -> None:
    request = FORMS[form]([dear_file(name)])
    connections = FEW if len(dear_file(name)) > LARGE else CONNECTIONS
    with attack(service) as seen:
        replies = seen.send([request] * connections, connections)

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
@pytest.mark.parametrize("name", [*SHORT, *WORST])
def test_a_dear_file_delays_nobody_in_any_form(service: RunningService, name: str, form: str) -> None:
    if form in ("JSON", "v1", "v2") and len(dear_file(name)) > FEW_MEGABYTES:
        pytest.skip("as base64 it is over the limit of bytes")
    assert_nobody_notices(service, name, form)
