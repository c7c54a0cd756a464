"""The way of one call through the project's files is short: the limits are what the layout of the code allows."""

import pytest

from tests.architecture.call_paths import Way
from tests.architecture.traced_calls import CALLS, REQUESTS, ways_of_requests

# Moves and files. Before the code was divided into rooms they were 91, 33; 112, 39; 103, 41; 486, 36; 153, 59; 115, 46.
LIMITS = [
    pytest.param("POST /predict", 70, 27),
    pytest.param("POST /predict, form", 85, 31),
    pytest.param("POST /v2 infer, binary", 80, 33),
    pytest.param("new version", 250, 30),
    # 100, 44 and 80, 34 until a training also drew images, by the rule for handwriting, and fitted an outlier score:
    # two steps more, in files that no other step uses.
    pytest.param("train mnist-strong", 130, 50, marks=pytest.mark.slow),
    pytest.param("export --int8", 105, 40, marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def requests() -> dict[str, Way]:
    """The ways of all requests, through one service."""
    return ways_of_requests(*REQUESTS)


@pytest.mark.parametrize(("call", "most_moves", "most_files"), LIMITS)
def test_a_call_goes_through_few_files_and_not_back_and_forth_between_them(
    call: str, most_moves: int, most_files: int, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue("requests")[call] if call in REQUESTS else CALLS[call]()

    hint = f"see python -m tests.architecture.traced_calls --verbose '{call}'"
    assert path.moves <= most_moves, hint
    assert path.files <= most_files, hint
