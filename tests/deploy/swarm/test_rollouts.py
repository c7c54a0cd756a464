"""Operations on a stack under load: deploy, scale, roll out, drain a node; and failing roll-outs."""

import time

import pytest

from tests.deploy.conftest import CALM, REPLICAS, Report
from tests.deploy.swarm.conftest import IMAGE, eventually, healthy, load_on, scale, settle
from tests.support.deploy.swarm import Swarm
from tests.support.load.generator import failures

pytestmark = pytest.mark.docker

PROMETHEUS = "convserve_prometheus"
NEXT_MODEL = f"""FROM {IMAGE}
RUN cp -r models/mnist/2 models/mnist/3 && sed -i 's/"version": 2,/"version": 3,/' models/mnist/3/metadata.json
"""
NEVER_READY = f"""FROM {IMAGE}
RUN truncate --size=1000 models/mnist/*/model.onnx
"""
ENDS_AT_ONCE = f"""FROM {IMAGE}
ENV CONVSERVE_NO_SUCH_SETTING=1
"""


def test_a_new_stack_serves_on_every_node(deployed: Swarm, report: Report) -> None:
    node = deployed.nodes[0]
    settle(deployed, node)
    deployed.remove(node)

    begun = time.monotonic()
    deployed.deploy(IMAGE, node)
    settle(deployed, node)
    seconds = time.monotonic() - begun
    answered = []
    for each in deployed.nodes:
        with load_on(deployed, each) as sent:
            time.sleep(1)
        answered += sent.results

    report("Swarm: the stack deployed on three nodes", answered, seconds)
    assert failures(answered) == []
    assert seconds < 60


def test_the_monitoring_of_a_stack_sees_every_replica(swarm: Swarm) -> None:
    eventually(lambda: any(task.runs for task in swarm.tasks(swarm.nodes[0], PROMETHEUS)), "Prometheus is healthy")
    node = next(task.node for task in swarm.tasks(swarm.nodes[0], PROMETHEUS) if task.runs)
    ask = ("exec", swarm.containers(node, PROMETHEUS)[0], "promtool", "query", "instant", "http://127.0.0.1:9090")

    eventually(lambda: "=> 3 @" in swarm.on(node, *ask, 'sum(convserve_ready{job="convserve"})'), "three are ready")
    eventually(lambda: "=> 1 @" in swarm.on(node, *ask, 'up{job="balancer"}'), "requests get through a balancer")


def test_a_new_model_is_rolled_out_without_a_failure(swarm: Swarm, report: Report) -> None:
    node, image = swarm.nodes[0], "convserve/service:test-next-model"
    swarm.build(image, NEXT_MODEL)
    with load_on(swarm, node) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        swarm.deploy(image, node)
        settle(swarm, node)
        seconds = time.monotonic() - begun
        time.sleep(CALM)

    report("Swarm: an image with version 3 of a model rolled out", sent.results, seconds)
    assert failures(sent.results) == []
    assert {result.version for result in sent.results if result.due < begun} == {2}
    assert {result.version for result in sent.results if result.due > begun + seconds} == {3}


@pytest.mark.parametrize(
    ("what", "dockerfile"),
    [("never gets ready", NEVER_READY), ("ends at once", ENDS_AT_ONCE)],
    ids=["never ready", "ends at once"],
)
def test_an_image_that_does_not_run_is_rolled_back_without_a_failure(
    swarm: Swarm, report: Report, what: str, dockerfile: str
) -> None:
    node, image = swarm.nodes[0], "convserve/service:test-bad"
    swarm.build(image, dockerfile)
    with load_on(swarm, node) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        swarm.deploy(image, node)
        eventually(lambda: swarm.update_state(node) == "rollback_completed", "it is rolled back")
        seconds = time.monotonic() - begun
        time.sleep(CALM)

    report(f"Swarm: an image that {what} rolled out, and back", sent.results, seconds)
    assert failures(sent.results) == []
    assert {(task.image, task.runs) for task in swarm.tasks(node)} == {(IMAGE, True)}


def test_scaling_a_stack_loses_nothing(swarm: Swarm, report: Report) -> None:
    node = swarm.nodes[0]
    with load_on(swarm, node) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        scale(swarm, node, REPLICAS + 2)
        scale(swarm, node, REPLICAS)
        seconds = time.monotonic() - begun
        time.sleep(4 * CALM)  # the two that leave drain meanwhile

    report("Swarm: 3 → 5 → 3 replicas", sent.results, seconds)
    assert failures(sent.results) == []


def test_emptying_a_node_for_maintenance_loses_nothing(swarm: Swarm, report: Report) -> None:
    node, emptied = swarm.nodes[0], swarm.nodes[1]
    with load_on(swarm, node) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        swarm.on(node, "node", "update", "--availability", "drain", emptied)
        others = tuple(each for each in swarm.nodes if each != emptied)
        eventually(lambda: healthy(swarm, node, others) == REPLICAS, "the others have all replicas")
        seconds = time.monotonic() - begun
        time.sleep(4 * CALM)
        swarm.on(node, "node", "update", "--availability", "active", emptied)

    report("Swarm: `docker node update --availability drain`", sent.results, seconds)
    assert failures(sent.results) == []
