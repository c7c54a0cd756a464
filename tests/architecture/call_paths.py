"""The way of one call through the project's files, from a trace of the real call.

Every call of one of the project's own functions and every return from one is a step, and it belongs to the file that
the function is written in. A move is two steps after one another that belong to different files. So a function that
calls another file's function many times in a row makes two moves, one there and one back. Frames of libraries have no
steps: control that goes into a library and comes back to the same file has not moved. What runs only because a module
is imported has no steps either. Each thread has its own steps.

A turn is what a thread does between two waits: from the return of a selector or of an event to the next wait for one.
A request is one turn of the worker's loop, from the wait that its bytes end to the next wait. A new version is what the
thread beside the loop does for it: its turns that do not come while nothing changes. In both, every move counts. A
command of the training side is all that its process does; as its loops go over images, batches and layers, a move from
one file to another counts once there however often it is made.
"""

import json
import os
import runpy
import selectors
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("modelrepo", "preprocessing", "service", "training")
WAITS = {"select": selectors.__file__, "wait": threading.__file__}  # the standard library's functions that end a turn
MARK = b"turn "

Step = tuple[str, str]  # a file below the root, and the function that is called or that returns
Trace = Callable[[FrameType, str, Any], Any]


@dataclass(frozen=True)
class Turn:
    """The steps of a thread between two waits; `main` is whether it is the process's first thread."""

    main: bool
    steps: tuple[Step, ...]

    def stays(self) -> list[tuple[str, list[str]]]:
        """The files in their order, each with the functions that are called or return before control moves on."""
        groups = groupby(self.steps, key=lambda step: step[0])
        return [(file, list(dict.fromkeys(name for _, name in steps))) for file, steps in groups]


@dataclass(frozen=True)
class Way:
    """What a call does, in turns; `once` is whether a move that is made again counts no more."""

    turns: tuple[Turn, ...]
    once: bool = False

    @property
    def moves(self) -> int:
        """How often control passes from one file to another."""
        moves = [move for turn in self.turns for move in pairwise(file for file, _ in turn.stays())]
        return len(set(moves) if self.once else moves)

    @property
    def files(self) -> int:
        """How many different files control visits."""
        return len({file for turn in self.turns for file, _ in turn.steps})


class Recorder(threading.local):
    """Notes the steps of the thread that it is used in and hands over every turn."""

    def __init__(self, on_turn: Callable[[Turn], object]) -> None:
        self._on_turn = on_turn
        self._steps: list[Step] = []
        self._imports = 0  # how many modules are being imported, one for the other

    def trace(self, frame: FrameType, _event: str, _argument: object) -> Trace | None:
        """Python calls this for every call of a Python function (sys.settrace)."""
        code = frame.f_code
        file = _own_file(code.co_filename)
        if file is None:
            if code.co_name in WAITS and WAITS[code.co_name] == code.co_filename:
                self.end_turn()
            return None
        if code.co_name == "<module>" and frame.f_globals["__name__"] != "__main__":
            self._imports += 1
            frame.f_trace_lines = False
            return self._trace_import
        self._note(file, code.co_name)
        frame.f_trace_lines = False
        return self._trace_return

    def end_turn(self) -> None:
        """Hand over what was noted since the last turn."""
        if self._steps:
            self._on_turn(Turn(threading.current_thread() is threading.main_thread(), tuple(self._steps)))
            self._steps = []

    def _trace_return(self, frame: FrameType, event: str, _argument: object) -> Trace:
        if event == "return":
            self._note(str(_own_file(frame.f_code.co_filename)), frame.f_code.co_name)
        return self._trace_return

    def _trace_import(self, _frame: FrameType, event: str, _argument: object) -> Trace:
        self._imports -= event == "return"
        return self._trace_import

    def _note(self, file: str, name: str) -> None:
        if not self._imports:
            self._steps.append((file, name))


def run_traced(module: str) -> None:
    """Be `python -m module`, and write every turn as a line to standard error."""
    recorder = Recorder(_write)
    threading.settrace(recorder.trace)
    sys.settrace(recorder.trace)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        sys.settrace(None)
        recorder.end_turn()


def read_turns(written: bytes) -> Iterator[Turn]:
    """The turns in what `run_traced` has written, between whatever else is there; a line under way is left out."""
    for line in written.splitlines(keepends=True):
        if line.startswith(MARK) and line.endswith(b"\n"):
            main, steps = json.loads(line.removeprefix(MARK))
            yield Turn(main, tuple((file, name) for file, name in steps))


def table(ways: Iterable[tuple[str, Way]], *, verbose: bool) -> Iterator[str]:
    """The lines of a table of ways; where it is `verbose`, each with the files in their order."""
    for name, way in ways:
        yield f"{name:<28} {way.moves:>5} moves {way.files:>4} files"
        for turn in way.turns if verbose else ():
            yield from (f"    {file:<48} {' '.join(names)}" for file, names in turn.stays())
            yield ""


@cache
def _own_file(path: str) -> str | None:
    """The path below the root of a file of the project; None for any other."""
    inside = Path(path).is_relative_to(ROOT) and Path(path).relative_to(ROOT).parts[0] in PACKAGES
    return str(Path(path).relative_to(ROOT)) if inside else None


def _write(turn: Turn) -> None:
    os.write(2, MARK + json.dumps([turn.main, turn.steps]).encode() + b"\n")
