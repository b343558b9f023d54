"""What the platform adds to a training step, against a loop written by hand.

Usage: `python benchmarks/overhead.py [SPEC ...]`

Both train in turns, in one process: a block of steps of `ganlab train` with everything that belongs to it (Lightning,
loader, log, progress bar, snapshots, checkpoints), a block of the plain loop, and so on.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from plain_loop import PlainLoop
from pytorch_lightning import Callback, Trainer
from report import print_table
from turns import Clock, clock_of, measure_of, offer_cpu_time

from ganlab.run import session
from ganlab.spec import read_spec
from ganlab.spec.model import Spec

HERE = Path(__file__).parent


class Duel(Callback):
    """Lets the plain loop train for a block of steps after each block of the run, and times both."""

    def __init__(self, plain: PlainLoop, block: int, clock: Clock) -> None:
        self.plain = plain
        self.block = block
        self.clock = clock
        self.milliseconds: dict[str, list[float]] = {"ganlab": [], "plain": []}
        self._steps = 0
        self._started = 0.0

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Change turns when a block is over; the first blocks of both only warm up."""
        self._steps += 1
        if self._steps % self.block == 0:
            self._note("ganlab")
            for _ in range(self.block):
                self.plain.step()
            self._note("plain")

    def _note(self, who: str) -> None:
        now = self.clock()
        if self._steps > self.block:
            self.milliseconds[who].append((now - self._started) / self.block * 1000)
        self._started = self.clock()


def measure(spec: Spec, block: int, clock: Clock) -> dict[str, list[float]]:
    """Milliseconds a step of both, one number a block."""
    duel = Duel(PlainLoop(spec), block, clock)

    class Watched(Trainer):
        def __init__(self, callbacks: list[Callback], **options: Any) -> None:
            super().__init__(callbacks=[*callbacks, duel], **options)

    session.Trainer = Watched  # type: ignore[misc]
    try:
        with tempfile.TemporaryDirectory() as runs, terminal_that_nobody_sees():
            session.train(spec, Path(runs))
    finally:
        session.Trainer = Trainer
    return duel.milliseconds


@contextlib.contextmanager
def terminal_that_nobody_sees() -> Iterator[None]:
    """Standard output that rich takes for a terminal, so that the progress bar is drawn."""
    os.environ["FORCE_COLOR"] = "1"
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
    del os.environ["FORCE_COLOR"]


def row(name: str, milliseconds: dict[str, list[float]]) -> list[object]:
    """Medians, what is between them, and the mean overhead, which has the checkpoints and pictures in it."""
    ours, plain = (statistics.median(milliseconds[who]) for who in ("ganlab", "plain"))
    mean = statistics.mean(milliseconds["ganlab"]) - statistics.mean(milliseconds["plain"])
    return [name, ours, plain, ours - plain, mean, ours / plain, len(milliseconds["plain"])]


def shortened(path: Path, steps: int) -> Spec:
    """A spec that trains for so many steps on the CPU and evaluates nothing."""
    spec = read_spec(path)
    images = steps * spec.data.batch_size * int(spec.architecture.options["discriminator_steps"])
    return read_spec(
        path, [f"kimg={images / 1000}", "evaluation=null", "trainer.accelerator=cpu", "tracking.wandb=null"]
    )


def main() -> None:
    """Measure each spec with one thread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="*", default=[HERE / "tiny.yaml", HERE.parent / "experiments/quickstart.yaml"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--block", type=int, default=25, help="steps of one turn")
    parser.add_argument("--threads", type=int, default=1)
    offer_cpu_time(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clock = clock_of(arguments)
    rows = []
    for path in arguments.specs:
        spec = shortened(path, arguments.block * (arguments.rounds + 1))
        rows.append(row(spec.name, measure(spec, arguments.block, clock)))
    columns = ["spec", "ganlab ms/step", "plain ms/step", "overhead ms", "mean overhead ms", "ratio", "rounds"]
    title = f"A training step, {measure_of(arguments)}"
    print_table(title, columns, rows, arguments.threads)


if __name__ == "__main__":
    main()
