"""The files that an ONNX file takes weights from are found wherever its tensors can be."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from modelrepo.errors import CorruptBundle
from modelrepo.external_data import external_files
from modelrepo.reader import graph_to_open, read_bundle, record_file
from service.codecs.limits import Limits
from service.lifecycle.bundle_loader import open_bundle, verify_golden
from tests.support.bundles.copies import copy_bundle
from tests.support.bundles.tiny import publish_tiny, tiny_graph


def tensor(location: str = "weights.bin") -> TensorProto:
    external = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    external.external_data.add(key="offset", value="0")
    external.external_data.add(key="location", value=location)
    return external


def graph(*nodes: onnx.NodeProto, initializer: list[TensorProto] | None = None) -> onnx.GraphProto:
    return helper.make_graph(list(nodes), "g", [], [], initializer or [])


def initializer() -> onnx.ModelProto:
    return helper.make_model(graph(initializer=[tensor()]))


def constant() -> onnx.ModelProto:
    return helper.make_model(graph(helper.make_node("Constant", [], ["c"], value=tensor())))


def tensors_of_an_attribute() -> onnx.ModelProto:
    return helper.make_model(graph(helper.make_node("Custom", [], ["c"], values=[tensor(), tensor()])))


def branch() -> onnx.ModelProto:
    inner = graph(helper.make_node("Constant", [], ["c"], value=tensor()))
    middle = graph(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=graph()))
    return helper.make_model(graph(helper.make_node("If", ["x"], ["y"], then_branch=graph(), else_branch=middle)))


def function() -> onnx.ModelProto:
    node = helper.make_node("Constant", [], ["c"], value=tensor())
    made = helper.make_function("local", "f", [], ["c"], [node], [helper.make_opsetid("", 17)])
    return helper.make_model(graph(), functions=[made])


def sparse_values() -> onnx.ModelProto:
    model = helper.make_model(graph())
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(tensor())
    return model


def training() -> onnx.ModelProto:
    model = helper.make_model(graph())
    model.training_info.add().initialization.initializer.append(tensor())
    return model


@pytest.mark.parametrize(
    "make", [initializer, constant, tensors_of_an_attribute, branch, function, sparse_values, training]
)
def test_they_are_found_in_every_place(make: Callable[[], onnx.ModelProto]) -> None:
    assert external_files(make().SerializeToString()) == {"weights.bin"}


def test_a_graph_with_its_weights_in_itself_has_none() -> None:
    assert external_files(tiny_graph()) == set()


def test_paths_are_as_metadata_writes_them() -> None:
    model = helper.make_model(graph(initializer=[tensor("./a//b.bin"), tensor("../c.bin")]))

    assert external_files(model.SerializeToString()) == {"a/b.bin", "../c.bin"}


def test_no_damage_makes_it_fail() -> None:
    content = bytearray(branch().SerializeToString() + tiny_graph())
    chance = random.Random(14)
    for _ in range(3000):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        external_files(bytes(damaged[: chance.randrange(len(damaged))]))


def with_external_weights(bundle: Path) -> None:
    """Move the weights of the graph into a file of their own."""
    model = onnx.load_model(bundle / "model.onnx")
    onnx.save_model(model, bundle / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)


def record(bundle: Path, *names: str) -> None:
    document = json.loads((bundle / "metadata.json").read_text())
    document["files"] |= {name: vars(record_file(bundle / name)) for name in names}
    (bundle / "metadata.json").write_text(json.dumps(document))


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    """A bundle whose weights are in a file that its metadata does not name."""
    bundle = copy_bundle(publish_tiny(tmp_path, "tiny"), tmp_path / "tiny" / "2", with_external_weights)
    record(bundle, "model.onnx")
    return bundle


def test_weights_that_the_metadata_does_not_name_are_refused(parted: Path) -> None:
    with pytest.raises(CorruptBundle, match=r"has weights in 'weights\.bin', which metadata\.json does not name"):
        read_bundle(parted)


def test_no_file_of_a_bundle_stays_mapped_while_its_model_is_served(parted: Path, tmp_path: Path) -> None:
    record(parted, "weights.bin")
    bundle = read_bundle(parted)

    model = open_bundle(bundle, 1, Limits(10_000, 10_000, 8))
    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if str(tmp_path) in line]
    os.truncate(parted / "weights.bin", 0)
    verify_golden(bundle.golden, model)

    assert mapped == []
    assert bundle.weights == ("weights.bin",)


def test_the_copy_is_verified_and_gone_afterwards(parted: Path) -> None:
    record(parted, "weights.bin")
    bundle = read_bundle(parted)
    with graph_to_open(bundle) as path:
        copies = {each.name for each in path.parent.iterdir()}
    weights = (parted / "weights.bin").read_bytes()
    (parted / "weights.bin").write_bytes(weights[::-1])

    assert copies == {"model.onnx", "weights.bin"}
    assert not path.parent.exists()
    with pytest.raises(CorruptBundle, match="another SHA-256"), graph_to_open(bundle):
        pass


def test_a_graph_with_its_weights_in_itself_is_opened_where_it_is(tmp_path: Path) -> None:
    bundle = read_bundle(publish_tiny(tmp_path, "tiny"))

    with graph_to_open(bundle) as path:
        assert path == bundle.model


def test_weights_that_the_metadata_names_are_verified(parted: Path) -> None:
    record(parted, "weights.bin")
    good = read_bundle(parted)
    weights = np.fromfile(parted / "weights.bin", np.uint8)
    weights[0] ^= 1
    weights.tofile(parted / "weights.bin")

    assert "weights.bin" in good.metadata.files
    with pytest.raises(CorruptBundle, match=r"weights\.bin has another SHA-256"):
        read_bundle(parted)
