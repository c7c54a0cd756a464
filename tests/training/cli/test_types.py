from argparse import ArgumentTypeError

import pytest

from training.cli.types import image_size, model_name, number, numbers, positive, probability, version_number


@pytest.mark.parametrize(("text", "value"), [("1/255", 1 / 255), ("1/127.5", 1 / 127.5), ("0.5", 0.5), ("-1e2", -100)])
def test_a_number_may_be_a_fraction(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "one", "1/0", "nan", "inf", "1/2/3", "1e999"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="a fraction such as 1/255"):
        number(text)


@pytest.mark.parametrize(("text", "value"), [("0.8", 0.8), ("1", 1), ("4/5", 0.8)])
def test_a_probability_is_a_share(text: str, value: float) -> None:
    assert probability(text) == value


@pytest.mark.parametrize("text", ["0", "-0.1", "1.01", "80"])
def test_what_nothing_or_everything_is_below_is_no_probability(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"above 0 and at most 1, such as 0.8, not '{text}'"):
        probability(text)


def test_numbers_have_commas_between_them() -> None:
    assert numbers("0.485,-1,1/4") == (0.485, -1.0, 0.25)


@pytest.mark.parametrize("text", ["224x160", "224X160", "224×160"])
def test_a_size_is_height_and_width(text: str) -> None:
    assert image_size(text) == (224, 160)


@pytest.mark.parametrize("text", ["224", "x224", "0x10", "-1x2", "224x224x3", "²x2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="HEIGHTxWIDTH"):
        image_size(text)


@pytest.mark.parametrize("text", ["0", "-1", "", "1.5", "three", "²"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"a whole number of at least 1, not '{text}'"):
        positive(text)


def test_counts_versions_and_names_are_checked() -> None:
    assert (positive("3"), version_number("3"), model_name("resnet-18_v2")) == (3, 3, "resnet-18_v2")
    with pytest.raises(ArgumentTypeError, match="at most 999999999999999"):
        version_number("1000000000000000")
    with pytest.raises(ArgumentTypeError, match="a-z"):
        model_name("ResNet")
