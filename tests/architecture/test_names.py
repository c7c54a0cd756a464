"""Public names of the packages are the field's terms: the private words of earlier versions must not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("modelrepo", "preprocessing", "service", "training", "bench")
WORDS = {  # the word that must not be in a name, and what is used instead
    "answer": "response",
    "answers": "responses",
    "dialect": "protocol",
    "dialects": "protocols",
    "seat": "worker context",
    "follower": "reloader",
    "orders": "model control",
    "reports": "worker status",
    "death": "exit cause",
    "deaths": "exit causes",
    "clients": "connections",
    "patience": "timeout",
    "tick": "heartbeat interval, poll interval",
    "refusal": "error",
    "refusals": "errors",
    "refuse": "reject, raise",
    "wait": "deferred",
    "waits": "deferred",
    "waited": "deferred",
    "facts": "log fields",
    "lot": "bucket",
    "lap": "record",
    "winners": "top_k",
    "rank": "top_k",
    "observer": "middleware",
    "ink": "handwriting",
    "paper": "background",
    "relief": "contrast",
    "breadth": "stroke width",
    "thickened": "dilated",
    "learn": "train",
    "learned": "train",
    "learner": "training model",
    "learning": "training",
    "watched": "validation",
    "feed": "training batches, inference batches",
    "feeding": "input pipeline",
    "show": "evaluation batches",
    "look": "inference batches",
    "keep": "checkpoint",
    "temper": "apply temperature",
    "tempering": "temperature",
    "mirror": "flip_tta",
    "mirrored": "flip_tta",
    "averaging": "ema_momentum",
    "balance": "class_weight_threshold",
    "balancing": "class weights",
    "course": "options",
    "outcome": "result",
    "outcomes": "results",
    "picture": "image",
    "pictures": "images",
    "foreign": "imported",
    "told": "a plain word",
    "nobody": "a plain word",
    "hurt": "a plain word",
}
ALLOWED = {  # public names with such a word in them, and why
    "bench.clients": "the HTTP clients of the benchmarks",
    "bench.connection_balance": "load balancing is the field's term",
    "bench.connection_balance.balance_table": "load balancing is the field's term",
    "bench.connection_balance.measure_balance": "load balancing is the field's term",
    "bench.service_process.wait_for_workers": "the verb, with its object",
    "service.inference.shadow_queue.MirroredRequest": "traffic mirroring is the field's term",
    "service.server.request_parser.RequestParser.feed": "as the incremental parsers of Python's library call it",
    "training.engine.distributed.multi_worker.averaging_sgd": "averaging gradients over workers is the field's term",
    "training.engine.distributed.strategy.MirroredDevices": "TensorFlow calls it MirroredStrategy",
    "training.models.flip_tta.Mirror": "registered with Keras by this name, which saved networks hold",
    "training.models.flip_tta.MirrorAverage": "registered with Keras by this name, which saved networks hold",
}


def words_of(name: str) -> list[str]:
    """The words of a name in snake_case or CamelCase, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def public_names() -> Iterator[tuple[str, str]]:
    """Each module, class and function that is not private: its last name, and all of it."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield module.rpartition(".")[2], module
            yield from ((name.rpartition(".")[2], f"{module}.{name}") for name in defined(ast.parse(path.read_text())))


def defined(node: ast.AST, prefix: str = "") -> Iterator[str]:
    """The classes, functions and methods of a module that are not private."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            yield prefix + child.name
            if isinstance(child, ast.ClassDef):
                yield from defined(child, f"{prefix}{child.name}.")


def old_words() -> dict[str, list[str]]:
    """The words of WORDS in each public name that has one."""
    found = {whole: [word for word in words_of(name) if word in WORDS] for name, whole in public_names()}
    return {whole: words for whole, words in found.items() if words}


def test_no_public_name_has_a_private_word_in_it() -> None:
    advice = [
        f"{name}: instead of {word}: {WORDS[word]}"
        for name, words in old_words().items()
        if name not in ALLOWED
        for word in words
    ]

    assert advice == []


def test_every_exception_is_still_needed() -> None:
    assert set(ALLOWED) - set(old_words()) == set()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("wait_for_workers", ["wait", "for", "workers"], id="snake case"),
        pytest.param("WSGIServer", ["wsgi", "server"], id="an abbreviation"),
        pytest.param("BoundedInflater", ["bounded", "inflater"], id="camel case"),
        pytest.param("v2_models", ["v", "models"], id="digits"),
    ],
)
def test_a_name_is_split_into_whole_words(name: str, words: list[str]) -> None:
    assert words_of(name) == words
