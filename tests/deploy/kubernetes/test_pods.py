"""The pods of the manifests: they run the service with its settings, and have few rights."""

from flask import Flask

from service.settings import Settings, read_settings
from tests.support.deploy.kubernetes import Objects, deployed
from training.cli.main import make_parser

HANG_SECONDS = 60.0  # without a sign of life after which the master replaces a worker, see service.server.gunicorn_app


def test_the_pods_end_later_than_the_service_does(objects: Objects) -> None:
    assert deployed(objects)["spec"]["terminationGracePeriodSeconds"] > Settings.grace_period
    assert "lifecycle" not in str(deployed(objects))


def test_readiness_turns_off_within_the_drain_delay(objects: Objects) -> None:
    (container,) = deployed(objects)["spec"]["containers"]
    probe = container["readinessProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] <= Settings.drain_delay


def test_a_busy_service_is_not_taken_for_a_dead_one(objects: Objects) -> None:
    (container,) = deployed(objects)["spec"]["containers"]
    live, ready = container["livenessProbe"], container["readinessProbe"]

    assert min(live["timeoutSeconds"], ready["timeoutSeconds"]) > Settings.request_timeout
    assert live["periodSeconds"] * live["failureThreshold"] > HANG_SECONDS


def test_probes_ask_for_routes_of_the_service(objects: Objects, app: Flask) -> None:
    (container,) = deployed(objects)["spec"]["containers"]
    paths = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}

    assert paths == {"/livez", "/readyz"}
    assert paths <= {rule.rule for rule in app.url_map.iter_rules()}


def test_the_environment_has_settings_that_the_service_takes(objects: Objects) -> None:
    for container in objects.containers():
        read_settings({each["name"]: each["value"] for each in container.get("env", [])})


def test_no_service_writes_settings_into_the_environment_of_pods(objects: Objects) -> None:
    prefixes = [each["metadata"]["name"].replace("-", "_").upper() for each in objects.of("Service")]

    assert not any(prefix.startswith("CONVSERVE") for prefix in prefixes)
    assert all(pod["spec"]["enableServiceLinks"] is False for pod in objects.pods())


def test_the_training_job_runs_a_command_that_there_is(production: Objects) -> None:
    (train,) = [each for each in production.containers() if each["name"] == "training"]

    assert make_parser().parse_args(train["args"]).recipe == "mnist"


def test_pods_may_do_no_more_than_they_must(objects: Objects) -> None:
    for pod in objects.pods():
        spec = pod["spec"]

        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"].items() >= {"runAsNonRoot": True, "runAsUser": 10001}.items()
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }


def test_namespaces_let_in_only_such_pods(production: Objects) -> None:
    labels = production.the("Namespace")["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_service_reads_the_models_that_jobs_write(production: Objects) -> None:
    mounts = {container["name"]: container["volumeMounts"] for container in production.containers()}
    models = {name: each for name, every in mounts.items() for each in every if each["name"] == "models"}

    assert models["service"] == {"name": "models", "mountPath": "/srv/convserve/models", "readOnly": True}
    assert models.keys() == {"service", "seed", "training"}
