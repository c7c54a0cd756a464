"""The layer table: the textbook's network, row by row, as Keras prints it."""

import pytest

from modelrepo.metadata import Layer, Metadata, ParameterCounts
from modelrepo.table import layer_table
from tests.support.bundles.tiny import tiny_metadata

TEXTBOOK = (
    Layer("conv2d", "Conv2D", (None, 28, 28, 32), 320, 225_792),
    Layer("max_pooling2d", "MaxPooling2D", (None, 14, 14, 32), 0, 0),
    Layer("conv2d_1", "Conv2D", (None, 14, 14, 64), 18_496, 3_612_672),
    Layer("max_pooling2d_1", "MaxPooling2D", (None, 7, 7, 64), 0, 0),
    Layer("flatten", "Flatten", (None, 3136), 0, 0),
    Layer("dense", "Dense", (None, 10), 31_370, 31_360),
)


@pytest.fixture
def textbook() -> Metadata:
    return tiny_metadata("mnist", layers=TEXTBOOK, parameters=ParameterCounts(50_186, 50_186, 0))


def cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│"))


def test_the_rows_are_the_textbooks(textbook: Metadata) -> None:
    lines = layer_table(textbook).splitlines()

    rows = [cells(line) for line in lines if line.startswith("│")]

    assert rows == [
        ("conv2d (Conv2D)", "(None, 28, 28, 32)", "320"),
        ("max_pooling2d (MaxPooling2D)", "(None, 14, 14, 32)", "0"),
        ("conv2d_1 (Conv2D)", "(None, 14, 14, 64)", "18,496"),
        ("max_pooling2d_1 (MaxPooling2D)", "(None, 7, 7, 64)", "0"),
        ("flatten (Flatten)", "(None, 3136)", "0"),
        ("dense (Dense)", "(None, 10)", "31,370"),
    ]


def test_the_totals_are_those_that_keras_prints(textbook: Metadata) -> None:
    lines = layer_table(textbook).splitlines()

    assert lines[0] == 'Model: "mnist"'
    assert lines[-3:] == [
        " Total params: 50,186 (196.04 KB)",
        " Trainable params: 50,186 (196.04 KB)",
        " Non-trainable params: 0 (0.00 B)",
    ]


def test_all_lines_of_the_table_are_equally_wide(textbook: Metadata) -> None:
    table = layer_table(textbook).splitlines()[1:-3]

    assert len({len(line) for line in table}) == 1


@pytest.mark.parametrize(
    ("parameters", "size"),
    [(1, "4.00 B"), (256, "1.00 KB"), (25_557_032, "97.49 MB"), (1_000_000_000, "3.73 GB")],
)
def test_sizes_are_in_units_of_1024(parameters: int, size: str) -> None:
    metadata = tiny_metadata("tiny", parameters=ParameterCounts(parameters, parameters, 0))

    assert f" Total params: {parameters:,} ({size})" in layer_table(metadata)
