"""Times of works that are done in turns, so that all of them meet the same machine."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

Clock = Callable[[], float]
Work = Callable[[], object]


def offer_cpu_time(parser: argparse.ArgumentParser) -> None:
    """Add `--cpu-time`, for `clock_of` and `measure_of`."""
    told = "count this process's CPU time: for a machine that others use as well"
    parser.add_argument("--cpu-time", action="store_true", help=told)


def clock_of(arguments: argparse.Namespace) -> Clock:
    """The clock that the arguments ask for, in seconds."""
    return time.process_time if arguments.cpu_time else time.perf_counter


def measure_of(arguments: argparse.Namespace) -> str:
    """What that clock tells, in words."""
    return "CPU time" if arguments.cpu_time else "wall clock"


def in_turns(works: Mapping[str, Work], rounds: int, clock: Clock = time.perf_counter) -> dict[str, list[float]]:
    """Seconds of all works, one after the other in each round, after a round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            start = clock()
            work()
            if turn:
                times[name].append(clock() - start)
    return times


def median_ratio(numerators: list[float], denominators: list[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(above / below for above, below in zip(numerators, denominators, strict=True))


def compare(first: Work, second: Work, rounds: int, clock: Clock) -> list[float]:
    """Median milliseconds of two works, and how many times as long the first takes."""
    times = in_turns({"first": first, "second": second}, rounds, clock)
    return [*(1000 * statistics.median(taken) for taken in times.values()), median_ratio(*times.values())]
