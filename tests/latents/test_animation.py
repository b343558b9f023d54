"""`ganlab animate`: films of an architecture that says how its samples move."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import torch
from annotated_types import Ge, Le
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from ganlab import TrainedGenerator, UserError
from ganlab.cli.app import app
from ganlab.contracts import WithMotion
from ganlab.exchange import load
from ganlab.latents.animation import animated
from ganlab.randomness import Randomness
from tests.latents.toys import StyledGAN, plain, styled


class MovingGAN(StyledGAN):
    def animate(
        self,
        random: Randomness,
        frames: int,
        *,
        speed: Annotated[float, Ge(0), Le(1)] = 0.1,
        averaged: bool = True,
    ) -> Tensor:
        """Grey that becomes lighter, from where the seed says."""
        first = random.uniform("first")[:, None]
        levels = first + speed * torch.arange(frames)
        return levels.view(len(random), frames, 1, 1, 1).expand(-1, -1, *self.facts.shape)


@pytest.fixture
def moving() -> TrainedGenerator:
    generator = styled()
    generator.module.__class__ = MovingGAN
    return generator


def test_films_are_those_of_the_seeds_with_checked_options(moving: TrainedGenerator) -> None:
    assert isinstance(moving.module, WithMotion)
    film = animated(moving, [4, 7], 3, {"speed": 0.25})
    firsts = [float(Randomness(seed, "samples", count=1).uniform("first")) for seed in (4, 7)]
    assert film[:, :, 0, 0, 0].tolist() == [pytest.approx([f, f + 0.25, f + 0.5]) for f in firsts]
    with pytest.raises(UserError, match="no sampling option 'sped'.*did you mean 'speed'"):
        animated(moving, [0], 2, {"sped": 1})
    with pytest.raises(UserError, match="speed"):
        animated(moving, [0], 2, {"speed": 2})


def test_samples_that_do_not_move_are_told() -> None:
    with pytest.raises(UserError, match="do not move by themselves; 'ganlab interpolate'"):
        animated(plain(), [0], 2)


def test_the_command_writes_the_film(moving: TrainedGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "load", lambda run, checkpoint=None: moving)
    command = ["animate", "run", "speed=0.2", "--frames", "5", "--seeds", "1,2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "animation.gif") as film:
        assert film.n_frames == 5
    again = CliRunner().invoke(app, command)
    assert isinstance(again.exception, UserError)
