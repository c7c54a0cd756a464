import json

import pytest

from training.engine.distributed.cluster import read_cluster
from training.errors import InvalidCluster

TWO = {"worker": ["one:1", "two:2"]}


@pytest.mark.parametrize(
    "text", [json.dumps({"cluster": {"worker": ["one:1"]}, "task": {"type": "worker", "index": 0}})]
)
def test_one_process_is_no_cluster(text: str) -> None:
    assert read_cluster(text) is None


@pytest.mark.parametrize(
    ("cluster", "task", "index"),
    [
        (TWO, {"type": "worker", "index": 1}, 1),
        (TWO, {"type": "worker", "index": "1"}, 1),
        ({"chief": ["zero:0"], **TWO}, {"type": "chief", "index": 0}, 0),
        ({"chief": ["zero:0"], **TWO}, {"type": "worker", "index": 0}, 1),
    ],
    ids=["worker", "index as text", "chief", "worker behind a chief"],
)
def test_a_process_knows_its_place(cluster: dict[str, list[str]], task: dict[str, object], index: int) -> None:
    read = read_cluster(json.dumps({"cluster": cluster, "task": task}))

    assert read is not None
    assert read.index == index
    assert read.size == sum(map(len, cluster.values()))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not what TensorFlow reads"),
        ("[]", "is not what TensorFlow reads"),
        (json.dumps({"cluster": TWO}), "is not what TensorFlow reads"),
        (json.dumps({"cluster": TWO, "task": {"type": "worker", "index": 2}}), "no address for its task, worker 2"),
        (json.dumps({"cluster": TWO, "task": {"type": "chief", "index": 0}}), "no address for its task, chief 0"),
        (json.dumps({"cluster": {**TWO, "ps": ["p:1"]}, "task": {"type": "worker", "index": 0}}), "names ps"),
        (
            json.dumps({"cluster": {"chief": ["a:1", "b:1"]}, "task": {"type": "chief", "index": 0}}),
            "more than one chief",
        ),
    ],
    ids=["no JSON", "no object", "no task", "index beyond", "no chief", "parameter server", "two chiefs"],
)
def test_what_cannot_be_a_cluster_is_told(text: str, sentence: str) -> None:
    with pytest.raises(InvalidCluster, match=sentence):
        read_cluster(text)
