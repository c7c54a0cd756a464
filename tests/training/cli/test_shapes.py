from argparse import Namespace

import pytest

from training.analysis.output_shapes import Setting
from training.cli.experiments import shapes


def test_the_table_has_a_row_a_setting_and_says_that_all_agree(capsys: pytest.CaptureFixture[str]) -> None:
    settings = [Setting(3, 2, "same"), Setting(7, 3, "valid")]

    assert shapes(Namespace(recipe="mnist"), settings) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["3,", "2,", "same", "0", "+", "1", "14×14", "7×7", "4×4", "2×2"]
    assert "nothing left" in lines[2]
    assert lines[-1] == "Formula, Keras and exported graph agree in all 2 networks on 28×28 images."
