"""The benchmarks: each is set up from the options, run, printed and written to a file."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from bench import worker_types
from bench.baseline import BaselineNotComparable, cpu_microseconds, load_baseline
from bench.clients.asyncio_generator import post_with_asyncio
from bench.clients.http_client import Connection
from bench.clients.images import ImageSet, Workload, batches, find_images, single_images
from bench.clients.traffic import Generator
from bench.clients.wrk_generator import post_with_wrk
from bench.connection_balance import ARRIVAL_PATTERNS, balance_table, measure_balance
from bench.encoding_cost import IMAGES, TURN_SECONDS, encode_images, encodings_table, measure_encodings
from bench.load import Baseline, LoadFigures, baseline_summary, load_table, measure_load
from bench.options import Options
from bench.report import describe_machine, write_results
from bench.service_process import running_service, wait_for_workers
from bench.startup import measure_starts, start_summary
from bench.target import Target, read_cpu
from modelrepo.repository import ModelRepository

GENERATORS: dict[str, Generator] = {"wrk": post_with_wrk, "asyncio": post_with_asyncio}
BASELINE_SHARE = 0.2  # of the seconds at a level, for one round of the baseline

Environment = Mapping[str, str]


def run_load(options: Options, environment: Environment) -> int:
    """Load the service at each level and compare its CPU time with the baseline."""
    bundle = newest_bundle(options.models, options.model)
    images = find_images(options.model, options.data, bundle)
    workload = _workload(options, images)
    with _service(options, environment) as target:
        print(f"{target.url}{workload.path}, {_describe_workload(workload, images)}, load by {options.generator}")
        machine = describe_machine()
        baseline = _baseline(options, target, bundle, images) if options.batch == 1 else None
        generate = GENERATORS[options.generator]
        figures = measure_load(generate, target, workload, options.connections, options.seconds, baseline=baseline)
    print(load_table(figures), baseline_summary(figures), sep="\n")
    record = {"source": images.source, "generator": options.generator, **asdict(figures), "ratios": _ratios(figures)}
    print(f"written to {write_results(options.results, 'load', machine, record)}")
    return 1 if figures.errors else 0


def run_start(options: Options, environment: Environment) -> int:
    """Start a service several times."""
    machine = describe_machine()
    seconds = measure_starts(environment, options.models, options.workers, options.rounds)
    print(start_summary(seconds))
    print(f"written to {write_results(options.results, 'start', machine, seconds)}")
    return 0


def run_spread(options: Options, environment: Environment) -> int:
    """Count the connections of each worker, for each pattern in which they can arrive."""
    machine = describe_machine()
    with _service(options, environment) as target:
        measure = partial(measure_balance, target, options.connections[-1], options.trials)
        trials = {name: measure(connect) for name, connect in ARRIVAL_PATTERNS.items()}
    print(balance_table(trials))
    print(f"written to {write_results(options.results, 'spread', machine, trials)}")
    return 0


def run_wire(options: Options, environment: Environment) -> int:
    """Send the same images in every encoding, as one request and as one request each."""
    images = find_images(options.model, options.data, newest_bundle(options.models, options.model))
    with _service(options, environment) as target, Connection(target) as connection:
        print(f"{target.url}, {IMAGES} images ({images.source}) as one request (batch) and as {IMAGES} (singles)")
        machine = describe_machine()
        encodings = encode_images(target, options.model, images)
        cpu, seconds = partial(read_cpu, target), min(TURN_SECONDS, options.seconds)
        rows = measure_encodings(connection.exchange, cpu, encodings, options.trials, seconds)
    print(encodings_table(rows))
    record = {"source": images.source, "rows": [{**asdict(row), "ratios": row.ratios} for row in rows]}
    print(f"written to {write_results(options.results, 'wire', machine, record)}")
    return 0


def run_workers(options: Options, environment: Environment) -> int:
    """Load the same application under this project's worker and under gunicorn's own, in turn."""
    images = find_images(options.model, options.data, newest_bundle(options.models, options.model))
    workload = _workload(options, images)
    machine = describe_machine()
    seconds = min(worker_types.TURN_SECONDS, options.seconds)
    with worker_types.running_servers(environment, options.models, options.workers) as servers:
        print(f"{options.workers} workers each, {_describe_workload(workload, images)}, load by {options.generator}")
        generate = GENERATORS[options.generator]
        figures = worker_types.measure(generate, servers, workload, options.connections, seconds, rounds=options.rounds)
    print(worker_types.table(figures, options.connections))
    record = {"source": images.source, "generator": options.generator, "rounds": [asdict(each) for each in figures]}
    print(f"written to {write_results(options.results, 'workers', machine, record)}")
    return 1 if any(each.level.traffic.errors for each in figures) else 0


COMMANDS: dict[str, Callable[[Options, Environment], int]] = {
    "load": run_load,
    "start": run_start,
    "spread": run_spread,
    "wire": run_wire,
    "workers": run_workers,
}


def newest_bundle(models: Path, name: str) -> Path:
    """The path of a model's newest version, or of version 1 where there is none."""
    repository = ModelRepository(models)
    return repository.path(name, max(repository.versions(name), default=1))


@contextmanager
def _service(options: Options, environment: Environment) -> Iterator[Target]:
    """The service at the options' URL, or one that is started for the benchmark."""
    if options.url:
        yield options.url
        return
    with running_service(environment, options.models, options.workers) as (target, _seconds):
        wait_for_workers(target, options.workers)
        yield target


def _workload(options: Options, images: ImageSet) -> Workload:
    path = f"/models/{options.model}/predict"
    return single_images(path, images) if options.batch == 1 else batches(path, images, options.batch)


def _describe_workload(workload: Workload, images: ImageSet) -> str:
    batch = f", {workload.images} a request as one array" if workload.images > 1 else ""
    return f"{images.source}{batch}"


def _baseline(options: Options, target: Target, bundle: Path, images: ImageSet) -> Baseline | None:
    """One round of the baseline; None, with a printed reason, where it cannot be compared."""
    if not target.local:
        print("× baseline is left out: the service runs on another machine")
        return None
    try:
        classify = load_baseline(bundle, images.contents)
    except BaselineNotComparable as reason:
        print(f"× baseline is left out: {reason}")
        return None
    return partial(cpu_microseconds, classify, images.contents, options.seconds * BASELINE_SHARE)


def _ratios(figures: LoadFigures) -> dict[int, float | None]:
    return {level.connections: figures.ratio(level) for level in figures.levels}
