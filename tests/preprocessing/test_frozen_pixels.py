"""What image files become for a network, frozen: formats, color modes, orientations, fits, handwriting, numbers.

The table was written once, and the code is compared with it ever since. A difference means that models get other
pixels than those they were trained and verified with. Where that is wanted, write the table anew:
`python -m tests.preprocessing.frozen.freeze`.
"""

import pytest

from tests.preprocessing.frozen.cases import list_array_cases, list_file_cases
from tests.preprocessing.frozen.contracts import ArrayCase, FileCase
from tests.preprocessing.frozen.freeze import freeze_array, freeze_file, read_table

FILES, ARRAYS, TABLE = list_file_cases(), list_array_cases(), read_table()


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_an_image_file_becomes_the_same_pixels_as_ever(case: FileCase) -> None:
    assert freeze_file(case) == TABLE["files"][case.name]


@pytest.mark.parametrize("case", ARRAYS, ids=lambda case: case.name)
def test_pixels_become_the_same_numbers_for_a_graph_as_ever(case: ArrayCase) -> None:
    assert freeze_array(case) == TABLE["arrays"][case.name]


def test_every_case_has_its_own_name_and_every_entry_its_case() -> None:
    assert sorted(case.name for case in FILES) == sorted(TABLE["files"])
    assert sorted(case.name for case in ARRAYS) == sorted(TABLE["arrays"])
