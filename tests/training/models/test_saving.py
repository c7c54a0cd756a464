from pathlib import Path

import pytest

from training.errors import InvalidNetwork
from training.models.saving import load_network, save_network


class FullDisk:
    """A network whose file cannot be finished."""

    def save(self, path: Path) -> None:
        path.write_bytes(b"the first half")
        raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_no_half_of_a_network(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        save_network(FullDisk(), tmp_path / "network.keras")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["missing.keras", "network.h5", "broken.keras"])
def test_a_file_that_is_no_network_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "network.h5").write_bytes(b"something else")
    (tmp_path / "broken.keras").write_bytes(b"something else")

    with pytest.raises(InvalidNetwork, match=name):
        load_network(tmp_path / name)
