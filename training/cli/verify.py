"""The commands `verify` and `evaluate`: bundles and running services against what Keras answered. No TensorFlow."""

from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from modelrepo.errors import BundleNotFound
from modelrepo.reader import Bundle, read_bundle, read_version
from modelrepo.repository import ModelRepository
from training.cli.types import add_data, add_models, positive
from training.errors import NotServed
from training.evaluation.onnx_inference import open_bundle
from training.evaluation.predictions import read_predictions
from training.evaluation.service_client import Client
from training.evaluation.service_replay import Agreement, agree, replay
from training.evaluation.test_split import opened_test
from training.evaluation.verify import check_labels, replay_bundle, replay_service


def add_verify(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `verify`."""
    parser.add_argument("target", metavar="BUNDLE|URL", help="a bundle's folder, or where a service answers")
    add_data(parser, ": check a bundle's label for every test image, too")
    add_models(parser)
    parser.set_defaults(command=verify)


def add_evaluate(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `evaluate`."""
    parser.add_argument("url", metavar="URL", help="where the service answers, such as http://localhost:8000")
    parser.add_argument("--model", required=True, help="the model's name")
    parser.add_argument("--version", type=positive, help="its version; the newest in --models by default")
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the data set in local files")
    parser.add_argument("--connections", type=positive, default=8, help="kept open at the same time (default 8)")
    add_models(parser)
    parser.set_defaults(command=evaluate)


def verify(options: Namespace) -> int:
    """Verify a bundle or a service."""
    if "://" in options.target:
        return _verify_service(options.target, ModelRepository(options.models))
    return _verify_bundle(read_bundle(Path(options.target)), options.data)


def evaluate(options: Namespace) -> int:
    """Post a whole test split to a service and compare with what Keras answered; 1 where anything differs."""
    repository = ModelRepository(options.models)
    bundle = _choose(repository, options.model, options.version)
    connect = partial(Client, options.url, bundle.metadata.name, bundle.metadata.version, top_k=1)
    with opened_test(bundle, options.data) as test:
        answered = replay(test.encoded, connect, options.connections)
    recorded = int(bundle.metadata.evaluation["correct"])
    agreement = agree(answered, test.split.labels, read_predictions(bundle.path), recorded)
    _print_agreement(bundle, agreement)
    return 0 if agreement.holds else 1


def _verify_bundle(bundle: Bundle, data: Path | None) -> int:
    classify = open_bundle(bundle)
    replayed = replay_bundle(bundle, classify)
    print(f"{bundle.path}: {len(bundle.metadata.files)} files have their recorded SHA-256")
    print(f"  {replayed.images} golden images within {replayed.largest_difference:.1e} of {_author(bundle)}")
    if data is not None:
        with opened_test(bundle, data) as test:
            right, count = check_labels(bundle, classify, test.split), len(test.split)
        share = f"{right:,} of them right ({right / count:.2%})"
        print(f"  {count:,} test images with {_author(bundle)}'s label each, {share}")
    return 0


def _verify_service(url: str, repository: ModelRepository) -> int:
    names = repository.names()
    if not names:
        raise BundleNotFound(f"{repository.root} has no bundle to compare the service with: name a folder by --models")
    for name in names:
        for version in repository.versions(name):
            _verify_version(url, repository, name, version)
    return 0


def _verify_version(url: str, repository: ModelRepository, name: str, version: int) -> None:
    bundle = read_version(repository, name, version)
    try:
        with Client(url, name, version, bundle.metadata.output.classes) as client:
            replayed = replay_service(bundle.golden, client.predict)
    except NotServed:
        if version == repository.versions(name)[-1]:
            raise
        print(f"{name} version {version}: no longer served")  # services keep the newest few
        return
    difference = f"{replayed.largest_difference:.1e}"
    print(f"{name} version {version}: {replayed.images} golden images within {difference} of {_author(bundle)}")


def _author(bundle: Bundle) -> str:
    """Whose answers the golden images hold."""
    if "imported" in bundle.metadata.training:
        return "what its import recorded"
    return "the eight-bit graph" if "quantisation" in bundle.metadata.training else "Keras"


def _choose(repository: ModelRepository, name: str, version: int | None) -> Bundle:
    versions = repository.versions(name)
    if not versions:
        raise BundleNotFound(f"{repository.root} has no model {name!r} to compare with: name a folder by --models")
    return read_version(repository, name, version or versions[-1])


def _print_agreement(bundle: Bundle, agreement: Agreement) -> None:
    print(f"{bundle.metadata.name} version {bundle.metadata.version}, {agreement.examples:,} images posted")
    print(f"  right          {agreement.correct:,} ({agreement.correct / agreement.examples:.2%})")
    print(f"  recorded       {agreement.expected_correct:,}")
    print(f"  label differs  {len(agreement.different):,}")
    if agreement.different:
        print(f"  first at       {', '.join(map(str, agreement.different[:10]))}")
    print(f"The service {'answers' if agreement.holds else 'does NOT answer'} as {_author(bundle)} did.")
