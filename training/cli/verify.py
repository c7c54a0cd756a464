"""The command `verify`: a bundle or a running service is compared with the results that the bundle records.

`evaluate URL` is the older name of `verify URL --data`. Neither needs TensorFlow.
"""

from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from modelrepo.errors import BundleNotFound
from modelrepo.reader import Bundle, read_bundle, read_version
from modelrepo.repository import ModelRepository
from training.cli.options import add_models
from training.cli.types import positive
from training.errors import InvalidChoice, NotServed
from training.evaluation.onnx_inference import open_bundle
from training.evaluation.service_client import Client
from training.evaluation.service_replay import Agreement, compare_labels, replay
from training.evaluation.test_split import open_test_split, read_predictions
from training.evaluation.verify import check_labels, replay_bundle, replay_service


def add_verify(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `verify`."""
    parser.add_argument("target", metavar="BUNDLE|URL", help="a bundle's folder, or a running service's address")
    _add_options(parser, required=False)
    parser.set_defaults(command=verify)


def add_evaluate(parser: ArgumentParser) -> None:
    """Give the parser the arguments of `evaluate`, the older name of `verify URL --data`."""
    parser.add_argument("target", metavar="URL", help="a running service's address, such as http://localhost:8000")
    _add_options(parser, required=True)
    parser.set_defaults(command=verify_test_split)


def _add_options(parser: ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        required=required,
        metavar="PATH",
        help="the data set in local files: compare the label of every test image",
    )
    add_models(parser)
    service = parser.add_argument_group("a running service")
    service.add_argument("--model", required=required, help="the model's name; needed with --data")
    service.add_argument("--version", type=positive, help="its version; with --data the newest in --models by default")
    service.add_argument(
        "--connections", type=positive, default=8, help="connections at the same time, with --data (default 8)"
    )


def verify(options: Namespace) -> int:
    """Verify a bundle, or a service's golden images or test split; the exit status."""
    if "://" not in options.target:
        return _verify_bundle(read_bundle(Path(options.target)), options.data)
    if options.data is None:
        return _verify_golden_images(options)
    return verify_test_split(options)


def _verify_bundle(bundle: Bundle, data: Path | None) -> int:
    classify = open_bundle(bundle)
    replayed = replay_bundle(bundle, classify)
    print(f"{bundle.path}: {len(bundle.metadata.files)} files have their recorded SHA-256")
    print(f"  {replayed.images} golden images within {replayed.largest_difference:.1e} of {_author(bundle)}")
    if data is not None:
        with open_test_split(bundle, data) as test:
            right, count = check_labels(bundle, classify, test.split), len(test.split)
        share = f"{right:,} of them right ({right / count:.2%})"
        print(f"  {count:,} test images with {_author(bundle)}'s label each, {share}")
    return 0


def _verify_golden_images(options: Namespace) -> int:
    """Post the golden images of every bundle in `--models`, or of the named one, to a service."""
    repository = ModelRepository(options.models)
    names = [options.model] if options.model else repository.names()
    if not names:
        raise BundleNotFound(f"{repository.root} has no bundle to compare the service with: name a folder by --models")
    for name in names:
        for version in [options.version] if options.version else _versions(repository, name):
            _verify_version(options.target, repository, name, version)
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


def verify_test_split(options: Namespace) -> int:
    """Post a whole test split to a service; 1 where a label is not the recorded one, or the accuracy differs."""
    if options.model is None:
        raise InvalidChoice("a service is compared on the test split of one model: name it by --model")
    repository = ModelRepository(options.models)
    version = options.version or _versions(repository, options.model)[-1]
    bundle = read_version(repository, options.model, version)
    connect = partial(Client, options.target, bundle.metadata.name, bundle.metadata.version, top_k=1)
    with open_test_split(bundle, options.data) as test:
        predicted = replay(test.encoded, connect, options.connections)
    recorded = int(bundle.metadata.evaluation["correct"])
    agreement = compare_labels(predicted, test.split.labels, read_predictions(bundle.path), recorded)
    _print_agreement(bundle, agreement)
    return 0 if agreement.holds else 1


def _versions(repository: ModelRepository, name: str) -> list[int]:
    versions = repository.versions(name)
    if not versions:
        raise BundleNotFound(f"{repository.root} has no model {name!r} to compare with: name a folder by --models")
    return versions


def _print_agreement(bundle: Bundle, agreement: Agreement) -> None:
    print(f"{bundle.metadata.name} version {bundle.metadata.version}, {agreement.examples:,} images posted")
    print(f"  right          {agreement.correct:,} ({agreement.correct / agreement.examples:.2%})")
    print(f"  recorded       {agreement.expected_correct:,}")
    print(f"  label differs  {len(agreement.different):,}")
    if agreement.different:
        print(f"  first at       {', '.join(map(str, agreement.different[:10]))}")
    print(f"The service {'answers' if agreement.holds else 'does NOT answer'} as {_author(bundle)} did.")


def _author(bundle: Bundle) -> str:
    """What computed the recorded results, as the printed sentences name it."""
    if "imported" in bundle.metadata.training:
        return "what its import recorded"
    return "the eight-bit graph" if "quantisation" in bundle.metadata.training else "Keras"
