"""The processes that train one network together, as TensorFlow's variable TF_CONFIG names them, one text for each.

The form is TensorFlow's: {"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}, or one
"chief" beside the workers. https://www.tensorflow.org/guide/distributed_training#setting_up_the_tf_config_environment_variable
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.errors import InvalidCluster

_TYPES = ("chief", "worker")  # in this order, the first of all is the one that publishes


@dataclass(frozen=True)
class Cluster:
    """All processes' addresses by type, and which of them this one is."""

    addresses: Mapping[str, tuple[str, ...]]
    type: str
    task: int

    @property
    def size(self) -> int:
        """How many processes there are."""
        return sum(map(len, self.addresses.values()))

    @property
    def index(self) -> int:
        """This one's place among all of them; the first, 0, publishes."""
        chiefs = 0 if self.type == "chief" else len(self.addresses.get("chief", ()))
        return chiefs + self.task


def read_cluster(text: str) -> Cluster | None:
    """What the variable says, None where there is only one process; raises InvalidCluster."""
    try:
        config = json.loads(text)
        addresses = {kind: tuple(map(str, config["cluster"][kind])) for kind in _TYPES if kind in config["cluster"]}
        cluster = Cluster(addresses, config["task"]["type"], int(config["task"]["index"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidCluster(f"TF_CONFIG is not what TensorFlow reads ({error!r}): {_example()}") from error
    _check(cluster, config["cluster"])
    return cluster if cluster.size > 1 else None


def _check(cluster: Cluster, config: Mapping[str, Any]) -> None:
    if others := set(config) - set(_TYPES):
        raise InvalidCluster(f"TF_CONFIG names {', '.join(sorted(others))}: only chief and worker train here")
    if len(cluster.addresses.get("chief", ())) > 1:
        raise InvalidCluster("TF_CONFIG names more than one chief: leave one, the others are workers")
    if not 0 <= cluster.task < len(cluster.addresses.get(cluster.type, ())):
        raise InvalidCluster(f"TF_CONFIG has no address for its task, {cluster.type} {cluster.task}: {_example()}")


def _example() -> str:
    form = {"cluster": {"worker": ["one:2222", "two:2222"]}, "task": {"type": "worker", "index": 0}}
    return f"it has the form {json.dumps(form)}"
