from pathlib import Path

import numpy as np
import pytest

from modelrepo.reader import read_bundle
from training.cli.main import main
from training.evaluation.onnx_inference import open_graph


@pytest.mark.parametrize(("options", "version"), [([], 2), (["--in-place"], 1)], ids=["next version", "in place"])
def test_a_bundle_gets_another_threshold_and_answers_as_before(
    bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str], options: list[str], version: int
) -> None:
    before, image = read_bundle(bundle), np.full((1, 28, 28, 1), 9, np.uint8)
    answer = open_graph(before.model)(image)

    status = main(
        ["fit-abstention", str(bundle), "--data", str(arrays), "--share", "0.5", "--abstain-below", "0.3", *options]
    )

    after = read_bundle(bundle.parent / str(version))
    assert status == 0
    assert f"Published {after.path}" in capsys.readouterr().out
    assert (after.metadata.version, after.metadata.output.abstain_below) == (version, 0.3)
    assert after.metadata.evaluation["abstention"]["share"] == 0.5
    assert np.array_equal(open_graph(after.model)(image), answer)
    assert after.metadata.files.keys() == before.metadata.files.keys()
    assert sorted(path.name for path in bundle.parent.iterdir()) == (["1", "2"] if version == 2 else ["1"])


def test_another_data_set_is_refused(bundle: Path, arrays: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with np.load(arrays) as stored:
        changed = {name: stored[name] for name in stored.files}
    np.savez(arrays, **{**changed, "x_test": changed["x_test"][::-1]})

    assert main(["fit-abstention", str(bundle), "--data", str(arrays), "--in-place"]) == 1

    assert "its digest differs" in capsys.readouterr().err
