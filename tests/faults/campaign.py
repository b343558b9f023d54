"""Tries every point at which a run changes its folder: a kill, a torn write, an error, a full disk.

`python -m tests.faults.campaign --write` writes the table of docs/reliability.md, and prints it without that. It
compiles `shim.c` and starts itself with it. Everything is imported once, and each try is a fork, as a start of ganlab
takes longer than a whole tiny run.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WAYS = {"kill": 1, "torn write": 2, "error": 3, "full disk": 4}
NEVER = 10**9
_HEAD = "| class | points tried | held |"
Act = Callable[[Path], None]
LATE = 120  # seconds after which a try hangs
GONE = 128 + signal.SIGKILL


@dataclass
class Result:
    """What came of one class of faults: points tried of all, and what did not hold, by the place of the fault."""

    name: str
    points: int = 0
    there: int = 0
    broken: list[str] = field(default_factory=list)


def compile_shim(folder: Path) -> Path:
    """The shared library. Raises `FileNotFoundError` where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        raise FileNotFoundError("a C compiler on Linux")
    target = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(target), str(source), "-ldl"], check=True)
    return target


def run_campaign(folder: Path, every: int = 1) -> list[Result]:
    """The results of all classes, at every point or at every so-manieth, from a process that has the shim."""
    environment = os.environ | {"LD_PRELOAD": str(compile_shim(folder)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.faults.campaign", str(every), "--in", str(folder)]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [Result(**record) for record in json.loads(done.stdout.splitlines()[-1])]


class Campaign:
    """Tries in one process that has imported everything and has the shim."""

    def __init__(self, folder: Path, every: int) -> None:
        from tests.faults.runs import Runs

        self.shim: Any = ctypes.CDLL(None)
        self.shim.fault_place.restype = ctypes.c_char_p
        self.folder = folder
        self.every = every
        self.runs = Runs()
        self.whole = folder / "whole"
        self.log = folder / "log"

    def results(self) -> list[Result]:
        """All classes of faults, in the run itself and in one that is resumed."""
        self._must(self.runs.start, self.whole)
        half = self.folder / "half"
        self._must(self.runs.start_half, half)
        found = []
        for way in WAYS:
            for begun in (None, half):
                found.append(self._every_point(way, begun))
                print(f"{found[-1].name}: {found[-1].points} points, {found[-1].broken or 'all held'}", file=sys.stderr)
        return found

    def _every_point(self, way: str, begun: Path | None) -> Result:
        result = Result(way if begun is None else f"{way} in a resumed run")
        act = self.runs.start if begun is None else self.runs.resume
        result.there = self._count(way, act, begun)
        for point in range(1, result.there + 1, self.every):
            place = self._fresh(begun)
            code, said = self._fork(act, place, way, point)
            at, _, said = said.partition("\0") if "\0" in said else (said.splitlines()[-1], "", said)
            wrong = self._wrong(way, place, code, said)
            result.points += 1
            if wrong:
                result.broken.append(f"{point} ({at.strip()}): {wrong}")
        return result

    def _count(self, way: str, act: Act, begun: Path | None) -> int:
        code, said = self._fork(act, self._fresh(begun), way, NEVER)
        assert code == 0, said
        return int(said.partition("\0")[0].rpartition(" ")[2])

    def _fresh(self, begun: Path | None) -> Path:
        place = self.folder / "try"
        shutil.rmtree(place, ignore_errors=True)
        if begun is not None:
            shutil.copytree(begun, place)
        return place

    def _wrong(self, way: str, place: Path, code: int, said: str) -> str | None:
        """What does not hold after a fault, and after the run was resumed."""
        killed = way in ("kill", "torn write")
        if code not in ((GONE,) if killed else (0, 2)):
            return f"exit code {code}: {said[-1500:]}"
        if not killed and (problem := self.runs.problem_after_error(place, code, said)):
            return problem
        resumed = bool(killed or code)
        if resumed:
            code, said = self._fork(self.runs.resume, place)
            if code:
                return f"resumed with exit code {code}: {said[-1500:]}"
        return self.runs.difference(place, self.whole, "" if resumed else said)

    def _must(self, act: Act, place: Path) -> None:
        code, said = self._fork(act, place)
        assert code == 0, said

    def _fork(self, act: Act, place: Path, way: str | None = None, point: int = 0) -> tuple[int, str]:
        """The exit code of a child that acts, and all that it said, after the place of the fault if it lived on."""
        child = os.fork()
        if child == 0:
            self._be_child(act, place, way, point)
        status = os.waitpid(child, 0)[1]
        code = os.waitstatus_to_exitcode(status)
        return (code if code >= 0 else 128 - code), self.log.read_text(errors="replace")

    def _be_child(self, act: Act, place: Path, way: str | None, point: int) -> None:
        signal.alarm(LATE)
        output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = 70
        try:
            if way is not None:
                self.shim.fault_arm(str(place).encode(), WAYS[way], ctypes.c_long(point))
            act(place)
            code = 0
        except BaseException as error:
            code = getattr(error, "exit_code", 70)
            print(f"ganlab: {error}") if code != 70 else traceback.print_exc()
        finally:
            sys.stdout.flush()
            told = f"{self.shim.fault_place().decode()} {self.shim.fault_count()}\0"
            self.shim.fault_arm(b"", 0, ctypes.c_long(0))
            said = self.log.read_text(errors="replace")
            self.log.write_text(told + said)
            os._exit(code)


def table(results: list[Result]) -> str:
    """The table of docs/reliability.md."""
    rows = [
        f"| {result.name} | {result.points if result.points == result.there else f'{result.points} of {result.there}'} "
        f"| {result.points - len(result.broken)} |"
        for result in results
    ]
    return "\n".join([_HEAD, "|---|---|---|", *rows])


def write_table(results: list[Result], page: Path) -> None:
    """Put the table into the place of the one that stands in a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_HEAD)
    assert rest, f"{page} has no table of the campaign"
    after = rest[rest.index("\n\n") :]
    page.write_text(before + table(results) + after, encoding="utf-8")


def main() -> None:
    """Run the campaign and print its table, or be the process that does the work."""
    arguments = argparse.ArgumentParser(description="Faults at every point at which a run changes its folder.")
    arguments.add_argument("every", type=int, nargs="?", default=1, help="try each so many-th point")
    arguments.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    arguments.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.folder is not None:
        results = Campaign(given.folder, given.every).results()
        print(json.dumps([asdict(result) for result in results]))
        return
    with tempfile.TemporaryDirectory() as folder:
        results = run_campaign(Path(folder), given.every)
    print(table(results))
    if given.write:
        write_table(results, ROOT / "docs" / "reliability.md")
    for result in results:
        for broken in result.broken:
            print(f"\n{result.name}: {broken}")
    sys.exit(any(result.broken for result in results))


if __name__ == "__main__":
    main()
