"""The files of a slot: prometheus_client reads what its own class would have written."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.values import MultiProcessValue

from service.telemetry.multiprocess_values import SlotFiles, slot_value

DESCRIBED = ("hits", "hits_total", ("model",), ("mnist",), "Hits.")  # names, labels, their values, help
Make = Callable[..., Any]  # a value from slot, kind and, of a gauge, mode


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """What makes the same number anew, as each worker in a slot does; its files are closed afterwards."""
    with ExitStack() as opened:

        def made(slot: int, kind: str = "counter", mode: str = "") -> Any:
            files = opened.enter_context(closing(SlotFiles(tmp_path, slot)))
            return slot_value(files)(kind, *DESCRIBED, multiprocess_mode=mode)

        yield made


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def stored(path: Path) -> list[tuple[float, float]]:
    """Values and timestamps in a file."""
    return [(value, timestamp) for _, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(path))]


def scraped(folder: Path) -> list[float]:
    """What a scrape makes of all slots."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    return [sample.value for metric in registry.collect() for sample in metric.samples]


# The files


@pytest.mark.parametrize(
    ("kind", "mode", "name"),
    [
        ("counter", "", "counter_7.db"),
        ("histogram", "", "histogram_7.db"),
        ("gauge", "livesum", "gauge_livesum_7.db"),
        ("gauge", "livemax", "gauge_livemax_7.db"),
    ],
)
def test_a_file_is_named_by_kind_mode_and_slot(make: Make, tmp_path: Path, kind: str, mode: str, name: str) -> None:
    make(7, kind, mode)

    assert names(tmp_path) == {name}


def test_values_of_one_kind_share_a_file(tmp_path: Path) -> None:
    with closing(SlotFiles(tmp_path, 7)) as files:
        value = slot_value(files)
        for number in range(3):
            value("counter", f"n{number}", f"n{number}_total", (), (), "").inc(number)

    assert names(tmp_path) == {"counter_7.db"}
    assert stored(tmp_path / "counter_7.db") == [(0, 0), (1, 0), (2, 0)]


def test_a_file_with_another_suffix_is_not_scraped(make: Make, tmp_path: Path) -> None:
    make(7).inc(1)
    with closing(SlotFiles(tmp_path, 7)) as files:
        values, _ = files.place("mnist 1", "statistics", "mmap")
        values.write_value("mnist 1", 5, 0)

    assert names(tmp_path) == {"counter_7.db", "statistics_7.mmap"}
    assert scraped(tmp_path) == [1]


@pytest.mark.parametrize(("kind", "mode"), [("counter", ""), ("histogram", ""), ("gauge", "livesum")])
def test_a_file_is_byte_for_byte_the_one_of_prometheus_client(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(theirs))
    own, other = make(7, kind, mode), MultiProcessValue(lambda: 7)(kind, *DESCRIBED, multiprocess_mode=mode)
    for value in (own, other):
        value.inc(2.5)
        value.set(4, timestamp=12.5)
    with closing(other._file):
        (written,) = theirs.iterdir()

    assert (tmp_path / written.name).read_bytes() == written.read_bytes()


# The values


def test_a_value_starts_at_nothing_and_is_changed(make: Make) -> None:
    value = make(7)
    seen = [value.get()]
    for change, amount in ((value.inc, 2), (value.inc, 0.5), (value.set, -1), (value.inc, -2)):
        change(amount)
        seen.append(value.get())

    assert seen == [0, 2, 2.5, -1, -3]


def test_a_timestamp_is_kept_with_its_value(make: Make, tmp_path: Path) -> None:
    make(7, "gauge", "mostrecent").set(3, timestamp=12.5)

    assert stored(tmp_path / "gauge_mostrecent_7.db") == [(3, 12.5)]


def test_a_value_without_a_timestamp_has_none(make: Make, tmp_path: Path) -> None:
    value = make(7)
    value.set(3, timestamp=12.5)
    value.inc(1)

    assert stored(tmp_path / "counter_7.db") == [(4, 0)]


def test_a_successor_in_a_slot_goes_on(make: Make, tmp_path: Path) -> None:
    make(7).inc(2)
    successor = make(7)
    inherited = successor.get()
    successor.inc(3)

    assert (inherited, successor.get()) == (2, 5)
    assert scraped(tmp_path) == [5]


def test_a_slot_knows_nothing_of_the_others(make: Make) -> None:
    make(7).inc(2)

    assert make(8).get() == 0


def test_what_is_closed_counts_no_more(tmp_path: Path) -> None:
    files = SlotFiles(tmp_path, 7)
    value = slot_value(files)("counter", *DESCRIBED)
    value.inc(1)
    files.close()

    with pytest.raises(TypeError):
        value.inc(1)
    assert scraped(tmp_path) == [1]


# All slots together


@pytest.mark.parametrize(
    ("kind", "mode", "together"),
    [("counter", "", 12), ("gauge", "livesum", 12), ("gauge", "livemax", 7)],
    ids=["counter", "livesum", "livemax"],
)
def test_a_scrape_sees_the_values_of_all_slots(
    make: Make, tmp_path: Path, kind: str, mode: str, together: float
) -> None:
    for slot, amount in enumerate((2, 7, 3)):
        make(slot, kind, mode).inc(amount)

    assert scraped(tmp_path) == [together]


def test_the_live_gauges_of_a_dead_worker_go_and_its_counts_stay(make: Make, tmp_path: Path) -> None:
    for slot in (1, 11):  # one name is the beginning of the other
        for kind, mode in (("counter", ""), ("gauge", "livesum"), ("gauge", "livemax")):
            make(slot, kind, mode).inc(1)
    mark_process_dead(1, str(tmp_path))

    assert names(tmp_path) == {"counter_1.db", "counter_11.db", "gauge_livesum_11.db", "gauge_livemax_11.db"}
