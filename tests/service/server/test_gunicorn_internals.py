"""What `service.server` uses of gunicorn beyond its documented interface, so that an upgrade shows what has changed."""

import ast
import inspect
import re
import sys

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.http import wsgi
from gunicorn.workers.base import Worker

from service.server import arbiter, worker

REPLACED = {
    Arbiter: {
        "handle_ttin",
        "handle_usr2",
        "murder_workers",
        "reap_workers",
        "reload",
        "signal",
        "spawn_worker",
        "spawn_workers",
        "start",
        "stop",
    },
    Worker: {"load_wsgi", "run"},
}
USED = {
    Arbiter: {
        "LISTENERS",
        "SIG_QUEUE",
        "WORKERS",
        "cfg",
        "kill_worker",
        "kill_workers",
        "log",
        "num_workers",
        "pid",
        "systemd",
        "timeout",
    },
    Worker: {"PIPE", "alive", "cfg", "handle_exit", "handle_quit", "log", "ppid", "sockets"},
}
OURS = {Arbiter: (arbiter, "DrainingArbiter"), Worker: (worker, "LoopWorker")}


def members(kind: type) -> set[str]:
    """The attributes of a class, and those that its methods set."""
    source = inspect.getsource(sys.modules[kind.__module__])
    return {*dir(kind), *re.findall(r"self\.(\w+) =", source)}


def definition(kind: type) -> ast.ClassDef:
    """Our subclass of it."""
    module, name = OURS[kind]
    found = [node for node in ast.parse(inspect.getsource(module)).body if getattr(node, "name", "") == name]
    assert isinstance(found[0], ast.ClassDef)
    return found[0]


def attributes_of_self(tree: ast.ClassDef) -> set[str]:
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "self"}


@pytest.mark.parametrize("kind", USED)
def test_gunicorn_has_what_is_used_of_it(kind: type) -> None:
    assert (USED[kind] | REPLACED[kind]) - members(kind) == set()


@pytest.mark.parametrize("kind", USED)
def test_nothing_else_is_used(kind: type) -> None:
    tree = definition(kind)
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    inherited = {name for name in attributes_of_self(tree) - own if name in members(kind)}

    assert inherited == USED[kind]
    assert own & members(kind) - {"__init__"} == REPLACED[kind]


def test_the_worker_takes_the_constant_part_of_its_environment_from_gunicorn() -> None:
    assert callable(wsgi.base_environ)


@pytest.mark.parametrize("name", ["aborted", "tmp", "pid"])
def test_the_arbiter_reads_of_its_workers_what_they_have(name: str) -> None:
    assert name in members(Worker)
