import builtins
import io
import os
import pickle
import random
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.training.cifar_archives import cifar100_python, draw_images, pack, pickle_python2
from training.data.load import read_split
from training.data.safe_pickle import unpickle
from training.data.specs import CIFAR100
from training.errors import InvalidData

PLANES = np.arange(6144, dtype=np.uint32).astype(np.uint8).reshape(2, 3072)


class Attack:
    """Pickles to a call."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def attacks(target: Path) -> dict[str, Attack]:
    """Ways to make a file by being unpickled."""
    return {
        "shell": Attack(os.system, f"touch {target}"),
        "eval": Attack(builtins.eval, f"open({str(target)!r}, 'w')"),
        "open": Attack(io.open, str(target), "w"),
        "folder": Attack(os.mkdir, str(target)),
        "process": Attack(subprocess.Popen, ["touch", str(target)]),
        "numpy": Attack(np.save, str(target), 1),
        "method": Attack(np.ndarray.tofile, PLANES, str(target)),
    }


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", attacks(Path()))
def test_a_hostile_pickle_runs_nothing(name: str, protocol: int, tmp_path: Path) -> None:
    target = tmp_path / "made"
    attack = attacks(target)[name]
    files = cifar100_python(draw_images(100, 100, seed=1), draw_images(100, 100, seed=2))
    files["cifar-100-python/train"] = pickle.dumps({b"data": attack, b"fine_labels": [1]}, protocol)
    source = pack(files, tmp_path / "data.tar.gz")

    with pytest.raises(InvalidData, match=r"train asks to run \S+, which no data set needs and which was not run"):
        read_split(CIFAR100, source, "train")

    assert not list(tmp_path.glob("made*"))


@pytest.mark.parametrize("name", attacks(Path()))
def test_the_attacks_work_where_nothing_is_refused(name: str, tmp_path: Path) -> None:
    made = pickle.loads(pickle.dumps(attacks(tmp_path / "made")[name], 4))  # noqa: S301  # that is the point

    if isinstance(made, subprocess.Popen):
        made.wait()
    if isinstance(made, io.IOBase):
        made.close()

    assert list(tmp_path.glob("made*"))


def test_the_generated_pickles_are_of_the_published_kind() -> None:
    content = pickle_python2({b"data": PLANES, b"fine_labels": [19]})

    assert content.startswith(b"\x80\x02}q\x00(U\x04dataq\x01cnumpy.core.multiarray\n_reconstruct\n")
    assert b"cnumpy\ndtype\n" in content
    assert b"_codecs" not in content


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_that_python_3_wrote_are_read_too(protocol: int) -> None:
    content = pickle.dumps({b"data": PLANES, b"labels": [3, 5]}, protocol)

    stored = unpickle(content, "train")

    assert np.array_equal(stored[b"data"], PLANES)
    assert stored[b"labels"] == [3, 5]


@pytest.mark.parametrize("kind", [np.float32, np.int8, np.uint16, object])
def test_arrays_of_another_type_are_refused(kind: type) -> None:
    content = pickle_python2({b"data": np.zeros((1, 3072), kind)})

    with pytest.raises(InvalidData, match="where the archives have u1"):
        unpickle(content, "train")


def test_an_array_in_fortrans_order_keeps_its_places() -> None:
    stored = unpickle(pickle_python2({b"data": np.asfortranarray(PLANES)}), "train")

    assert np.array_equal(stored[b"data"], PLANES)


def test_a_damaged_pickle_ends_in_a_dictionary_or_in_a_sentence() -> None:
    content = pickle_python2({b"data": PLANES[:, :8], b"labels": [3, 5], b"filenames": [b"a.png", b"b.png"]})
    draws = random.Random(1)

    outcomes = {outcome(damage(content, draws)) for _ in range(2000)}

    assert outcomes == {dict, InvalidData}


def test_a_length_in_a_damaged_pickle_sets_aside_no_memory() -> None:
    huge = (1 << 31).to_bytes(8, "little")
    index = b"\x80\x02}" + pickle.LONG_BINPUT + huge[:4] + b"."
    content = b"\x80\x05" + pickle.BYTEARRAY8 + huge + b"."

    tracemalloc.start()
    outcomes = outcome(index), outcome(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert outcomes == (dict, InvalidData)
    assert peak < 1 << 20


def damage(content: bytes, draws: random.Random) -> bytes:
    """One to four bytes changed."""
    damaged = bytearray(content)
    for _ in range(draws.randint(1, 4)):
        damaged[draws.randrange(len(damaged))] = draws.randrange(256)
    return bytes(damaged)


def outcome(content: bytes) -> type:
    try:
        return type(unpickle(content, "train"))
    except InvalidData:
        return InvalidData
