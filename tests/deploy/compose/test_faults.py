"""Faults and changes of the Compose project under load; each test prints its row of docs/operations.md."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.deploy.conftest import CALM, REPLICAS, Report, assert_only_those_under_way_lost, load
from tests.support.deploy import faults
from tests.support.deploy.compose import Project
from tests.support.deploy.docker import DockerFailed, docker
from tests.support.load.generator import failures
from tests.support.processes.service import until

pytestmark = pytest.mark.docker


def recover(project: Project, begun: float) -> float:
    """Wait until all replicas are healthy and calm has returned; seconds from `begun` until they were."""
    until(lambda: project.healthy() == REPLICAS, "all replicas are healthy", seconds=120)
    seconds = time.monotonic() - begun
    time.sleep(CALM)
    return seconds


@pytest.mark.parametrize(
    ("what", "kill"),
    [("`kill -9` of a replica", faults.kill), ("`kill -9` of a replica's only worker", faults.kill_a_worker)],
    ids=["replica", "worker"],
)
def test_a_killed_process_costs_only_the_requests_that_it_had(
    project: Project, report: Report, what: str, kill: Callable[[str], None]
) -> None:
    with load(project.port) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        kill(project.replicas()[0])
        seconds = recover(project, begun)

    report(what, sent.results, seconds)
    assert_only_those_under_way_lost(sent.results)


@pytest.mark.parametrize(
    ("what", "cut"),
    [
        ("network of a replica cut for 10 s, its name still known", faults.disconnected),
        ("`docker network disconnect` of a replica for 10 s", faults.removed_from_network),
    ],
    ids=["unplugged", "forgotten"],
)
def test_a_replica_that_is_cut_off_costs_only_the_requests_that_it_had(
    project: Project, report: Report, what: str, cut: Callable[[str, str], AbstractContextManager[None]]
) -> None:
    with load(project.port) as sent:
        time.sleep(CALM)
        with cut(project.replicas()[0], f"{project.name}_backend"):
            time.sleep(10)
        seconds = recover(project, time.monotonic())

    report(what, sent.results, seconds)
    assert_only_those_under_way_lost(sent.results)


def test_scaling_up_and_down_loses_nothing(project: Project, report: Report) -> None:
    with load(project.port) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        project.scale(REPLICAS + 2)
        project.scale(REPLICAS)
        seconds = recover(project, begun)

    report("3 → 5 → 3 replicas", sent.results, seconds)
    assert failures(sent.results) == []


def test_a_new_image_is_rolled_out_and_loses_nothing(project: Project, report: Report) -> None:
    newer, before = derive(project, "newer", "LABEL newer=yes"), set(project.replicas())
    with load(project.port) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        docker("stop", project.replicas()[0])  # which must not come back as the old image
        newer.run("deploy/compose/roll")
        newer.scale(REPLICAS)
        seconds = recover(project, begun)

    labels = docker("inspect", "--format", "{{.Config.Labels.newer}}", *project.replicas()).split()
    project.run("deploy/compose/roll")  # and back, for the tests that follow
    report("a new image for every replica, `deploy/compose/roll`", sent.results, seconds)
    assert before.isdisjoint(project.replicas())
    assert labels == ["yes"] * REPLICAS
    assert failures(sent.results) == []


def test_a_bad_image_is_not_rolled_out_and_loses_nothing(project: Project, report: Report) -> None:
    bad, before = derive(project, "bad", "ENV CONVSERVE_PROT=8000"), set(project.replicas())
    with load(project.port) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        for _ in range(2):
            with pytest.raises(DockerFailed, match="CONVSERVE_PROT is not a setting"):
                bad.run("deploy/compose/roll")
        seconds = recover(project, begun)

    report("a bad image, `deploy/compose/roll`", sent.results, seconds)
    assert set(project.replicas()) == before
    assert failures(sent.results) == []


def derive(project: Project, tag: str, change: str) -> Project:
    """The same project, asked for another image, which differs by this line of its Dockerfile."""
    name = f"{project.name}-{tag}"
    docker("build", "--tag", f"convserve/service:{name}", "-", given=f"FROM {project.image('service')}\n{change}\n")
    return replace(project, environment=project.environment | {"CONVSERVE_TAG": name})


@pytest.mark.data
def test_a_version_that_training_publishes_is_served_and_loses_nothing(
    project: Project, report: Report, data_folder: Path
) -> None:
    project.build("training")
    volume = f"{data_folder.resolve()}:/data:ro"
    order = ("train", "mnist", "--data", "/data/mnist.npz", "--epochs", "1")
    with load(project.port) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        project.compose("--profile", "train", "run", "--rm", "--volume", volume, "training", *order)
        trained = time.monotonic()
        time.sleep(2 * CALM)
        seconds = recover(project, trained) - 2 * CALM

    report(f"version 3 trained beside it for {trained - begun:.0f} s", sent.results, seconds)
    assert failures(sent.results) == []
    assert {result.version for result in sent.results} == {2, 3}
    assert {result.version for result in sent.results if result.due > trained + CALM} == {3}


def test_rolling_a_model_back_loses_nothing(project: Project, report: Report) -> None:
    older = json.dumps({"models": {"mnist": {"default": 1}}})
    with load(project.port) as sent:
        time.sleep(CALM)
        begun = time.monotonic()
        write(project, "serving.json", older)
        time.sleep(2 * CALM)

    write(project, "serving.json", "{}")
    report(
        "a model rolled back", sent.results, max(result.due for result in sent.results if result.version != 1) - begun
    )
    assert failures(sent.results) == []
    assert {result.version for result in sent.results if result.due > begun + CALM} == {1}


def test_a_replica_that_is_not_ready_costs_nothing(project: Project, report: Report) -> None:
    with damaged(project, "mnist"):
        replica = project.replicas()[0]
        docker("restart", replica)  # the others serve on what they have loaded
        until(lambda: is_unready(replica), "the replica answers that it is not ready")
        with load(project.port) as sent:
            time.sleep(2 * CALM)
            stayed = is_unready(replica)
    seconds = recover(project, time.monotonic()) - CALM

    report(f"a replica without a good bundle for {2 * CALM:.0f} s", sent.results, seconds)
    assert stayed
    assert failures(sent.results) == []


def write(project: Project, name: str, content: str) -> None:
    """Put a file into the volume of models as docs/operations.md says: under another name first."""
    in_volume(project, f"cat > /to/{name}.new && mv /to/{name}.new /to/{name}", given=content)


@contextmanager
def damaged(project: Project, model: str) -> Iterator[None]:
    """Have no version of a model that can be loaded, by an empty graph in each; replaced and put back by renaming."""
    bundles = f"/to/{model}/*/"
    in_volume(project, f"for each in {bundles}; do mv $each/model.onnx $each/kept; : > $each/model.onnx; done")
    try:
        yield
    finally:
        in_volume(project, f"for each in {bundles}; do mv $each/kept $each/model.onnx; done")


def is_unready(replica: str) -> bool:
    """Whether a replica answers, and says that it is not ready."""
    try:
        docker("exec", replica, "python", "-m", "service.healthcheck")
    except DockerFailed as failure:
        return "/readyz says 503" in failure.said
    return False


def in_volume(project: Project, script: str, given: str = "") -> None:
    """Run a shell script with the volume of models at /to."""
    volume = f"{project.name}_models:/to"
    docker("run", "--rm", "-i", "--volume", volume, project.image("service"), "sh", "-c", script, given=given)
