"""The benchmarks, put together from the options and told to people."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from bench.asyncclient import post_with_asyncio
from bench.bare import NoYardstick, cpu_microseconds, load_bare
from bench.connection import Connection
from bench.exposition import read_cpu
from bench.load import Bare, LoadFigures, bare_sentence, load_table, measure_load
from bench.localservice import await_workers, running_service
from bench.machine import machine_facts
from bench.options import Options
from bench.parcels import IMAGES, pack
from bench.pictures import Pictures, find_pictures
from bench.results import write_results
from bench.spread import ARRIVALS, measure_spread, spread_table
from bench.start import measure_starts, start_sentence
from bench.target import Target
from bench.traffic import Generator
from bench.wire import TURN, measure_wire, wire_table
from bench.workload import Workload, batches, single_images
from bench.wrk import post_with_wrk
from modelrepo.repository import ModelRepository

GENERATORS: dict[str, Generator] = {"wrk": post_with_wrk, "asyncio": post_with_asyncio}
BARE_SHARE = 0.2  # of the seconds at a level, for one round of bare work

Environment = Mapping[str, str]


def run_load(options: Options, environment: Environment) -> int:
    """Load the service at each level and compare its CPU time with the bare work."""
    bundle = newest_bundle(options.models, options.model)
    pictures = find_pictures(options.model, options.data, bundle)
    workload = _workload(options, pictures)
    with _service(options, environment) as target:
        print(f"{target.url}{workload.path}, {_what_is_sent(workload, pictures)}, load by {options.generator}")
        machine = machine_facts()
        bare = _bare(options, target, bundle, pictures) if options.batch == 1 else None
        generate = GENERATORS[options.generator]
        figures = measure_load(generate, target, workload, options.connections, options.seconds, bare=bare)
    print(load_table(figures), bare_sentence(figures), sep="\n")
    record = {"source": pictures.source, "generator": options.generator, **asdict(figures), "ratios": _ratios(figures)}
    print(f"written to {write_results(options.results, 'load', machine, record)}")
    return 1 if figures.errors else 0


def run_start(options: Options, environment: Environment) -> int:
    """Start a service several times."""
    machine = machine_facts()
    seconds = measure_starts(environment, options.models, options.workers, options.rounds)
    print(start_sentence(seconds))
    print(f"written to {write_results(options.results, 'start', machine, seconds)}")
    return 0


def run_spread(options: Options, environment: Environment) -> int:
    """See how connections spread over the workers, for each way in which they can arrive."""
    machine = machine_facts()
    with _service(options, environment) as target:
        measure = partial(measure_spread, target, options.connections[-1], options.trials)
        trials = {name: measure(arrive) for name, arrive in ARRIVALS.items()}
    print(spread_table(trials))
    print(f"written to {write_results(options.results, 'spread', machine, trials)}")
    return 0


def run_wire(options: Options, environment: Environment) -> int:
    """Send the same images in every encoding, as one request and as a request each."""
    pictures = find_pictures(options.model, options.data, newest_bundle(options.models, options.model))
    with _service(options, environment) as target, Connection(target) as connection:
        print(f"{target.url}, {IMAGES} images ({pictures.source}) as one request (batch) and as {IMAGES} (singles)")
        machine = machine_facts()
        parcels = pack(target, options.model, pictures)
        cpu, seconds = partial(read_cpu, target), min(TURN, options.seconds)
        rows = measure_wire(connection.exchange, cpu, parcels, options.trials, seconds)
    print(wire_table(rows))
    record = {"source": pictures.source, "rows": [{**asdict(row), "ratios": row.ratios} for row in rows]}
    print(f"written to {write_results(options.results, 'wire', machine, record)}")
    return 0


COMMANDS: dict[str, Callable[[Options, Environment], int]] = {
    "load": run_load,
    "start": run_start,
    "spread": run_spread,
    "wire": run_wire,
}


def newest_bundle(models: Path, name: str) -> Path:
    """Where the newest version of a model is, or would be."""
    repository = ModelRepository(models)
    return repository.path(name, max(repository.versions(name), default=1))


@contextmanager
def _service(options: Options, environment: Environment) -> Iterator[Target]:
    """The service that the options name, or one of our own."""
    if options.url:
        yield options.url
        return
    with running_service(environment, options.models, options.workers) as (target, _seconds):
        await_workers(target, options.workers)
        yield target


def _workload(options: Options, pictures: Pictures) -> Workload:
    path = f"/models/{options.model}/predict"
    return single_images(path, pictures) if options.batch == 1 else batches(path, pictures, options.batch)


def _what_is_sent(workload: Workload, pictures: Pictures) -> str:
    batch = f", {workload.images} a request as one array" if workload.images > 1 else ""
    return f"{pictures.source}{batch}"


def _bare(options: Options, target: Target, bundle: Path, pictures: Pictures) -> Bare | None:
    """The bare rounds, or None, saying why, where they would compare two different things."""
    if not target.local:
        print("× bare is left out: the service runs on another machine")
        return None
    try:
        classify = load_bare(bundle, pictures.contents)
    except NoYardstick as reason:
        print(f"× bare is left out: {reason}")
        return None
    return partial(cpu_microseconds, classify, pictures.contents, options.seconds * BARE_SHARE)


def _ratios(figures: LoadFigures) -> dict[int, float | None]:
    return {level.connections: figures.ratio(level) for level in figures.levels}
