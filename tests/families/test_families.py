"""Small games of every pattern: exact after an interruption, on two processes, and in parts of a batch."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from ganlab import Randomness
from ganlab.cli.app import app
from ganlab.plugin_contracts import load
from ganlab.run import session
from ganlab.spec import constructor, read_spec
from ganlab.testing.two_ranks import run_on_two_ranks
from ganlab.training.checkpoint import module_state, restore_module
from tests.families.installed import (
    FAMILIES,
    FOLDER,
    build,
    farthest,
    first_batch,
    sample_inputs,
    state_of,
    train,
    train_rank,
    write_families,
)

ROUNDS = 4
TOLERANCE = 1e-9
ENDS = ("rank 0", "rank 1", "rank 0 with parts", "rank 1 with parts")

pytest.importorskip("ganlab_objectives", reason="some games use its penalties")
# Path lengths are compared with the mean of the part of a batch as well, by the weight `decay`.
EXACT_IN_PARTS = {"styles": ("architecture.regularizers.0.decay=1.0e-12",)}

families = pytest.mark.parametrize("family", FAMILIES)
pytestmark = pytest.mark.usefixtures("installed")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    def forget() -> None:
        load.cache_clear()
        constructor.constructor_of.cache_clear()

    folder = write_families(tmp_path_factory.mktemp("families"))
    with pytest.MonkeyPatch.context() as patch:
        forget()
        patch.syspath_prepend(folder)
        yield folder
    forget()


@cache
def in_double(family: str, *overrides: str) -> dict[str, Tensor]:
    """What one process ends with in float64."""
    return state_of(train(*build(family, *overrides), ROUNDS, precision="64-true"))


@families
def test_an_interrupted_training_ends_like_a_whole_one(family: str) -> None:
    whole = train(*build(family), ROUNDS)
    file = io.BytesIO()
    torch.save(module_state(train(*build(family), ROUNDS // 2)), file)
    file.seek(0)
    resumed, loader = build(family, "seed=0")
    restore_module(resumed, torch.load(file, weights_only=True))
    train(resumed, loader, ROUNDS - ROUNDS // 2)
    different = [name for name, value in state_of(resumed).items() if not torch.equal(value, whole.state_dict()[name])]
    assert not different
    assert resumed.clock.state_dict() == whole.clock.state_dict()


@families
def test_parts_of_a_batch_change_nothing(family: str) -> None:
    exact = EXACT_IN_PARTS.get(family, ())
    parts = state_of(train(*build(family, "data.micro_batch=2", *exact), ROUNDS, precision="64-true"))
    distance, name = farthest(parts, in_double(family, *exact))
    assert distance < TOLERANCE, f"{name}: {distance}"


@pytest.fixture(scope="module")
def two_processes(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Tensor]]]:
    """What each of two processes ends with, by family: with whole batches, and with parts of them."""
    folder = tmp_path_factory.mktemp("ranks")
    runs = [(family, overrides) for family in FAMILIES for overrides in settings_of(family)]
    run_on_two_ranks(train_rank, str(folder), runs, ROUNDS)
    states: dict[str, list[dict[str, Tensor]]] = {}
    for index, (family, _) in enumerate(runs):
        ends = [torch.load(folder / f"{index}-{rank}.pt", weights_only=True) for rank in range(2)]
        states.setdefault(family, []).extend(ends)
    return states


def settings_of(family: str) -> list[tuple[str, ...]]:
    """Whole batches and parts of them, as overrides of a family's spec."""
    return [(), ("data.micro_batch=2", *EXACT_IN_PARTS.get(family, ()))]


@families
def test_two_processes_end_like_one(family: str, two_processes: dict[str, list[dict[str, Tensor]]]) -> None:
    for index, end in enumerate(two_processes[family]):
        exact = EXACT_IN_PARTS.get(family, ()) if index > 1 else ()
        distance, name = farthest(end, in_double(family, *exact))
        assert distance < TOLERANCE, f"{ENDS[index]}: {name}: {distance}"


@families
def test_half_precision_stays_finite(family: str) -> None:
    module = train(*build(family), 2, precision="bf16-mixed")
    assert not [name for name, value in state_of(module).items() if not torch.isfinite(value).all()]


@families
def test_a_sample_depends_on_its_own_row_alone(family: str) -> None:
    module, loader = build(family)
    train(module, loader, 1).eval()
    batch = first_batch(module, loader)
    random = Randomness(0, "samples", count=6)
    labels = None if batch.labels is None else batch.labels[:6]
    inputs = {name: value[:6] for name, value in sample_inputs(batch).items()}
    with torch.no_grad():
        together = module.sample(random, labels, inputs=inputs)
        rows = slice(2, 5)
        given = {name: value[rows] for name, value in inputs.items()}
        alone = module.sample(random.slice(2, 3), None if labels is None else labels[rows], inputs=given)
    assert together.shape == (6, *module.facts.shape)
    torch.testing.assert_close(alone, together[rows])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_no_family_uses_a_private_name(path: Path) -> None:
    if path.stem in ("test_families", "installed"):
        return
    tree = ast.parse(path.read_text())
    names = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert [name for name in names if name.startswith("_") and not name.endswith("__")] == []


@families
def test_its_spec_is_rehearsed_trained_with_pictures_and_sampled(family: str, tmp_path: Path) -> None:
    """As `ganlab train` and `ganlab sample` do it: a run folder with grids, and samples of the averaged networks."""
    short = ["kimg=0.016", "snapshots.grid=[2,2]", "tracking.progress=false", "diversity=null"]
    outcome = session.train(read_spec(FOLDER / f"{family}.yaml", short), tmp_path)
    assert (outcome.run.samples / "kimg-000000.016.png").stat().st_size > 0
    command = ["sample", str(outcome.run.path), "--count", "3", "--out", str(tmp_path / "samples")]
    sampled = CliRunner().invoke(app, command)
    assert sampled.exit_code == 0, sampled.output
    assert len(list((tmp_path / "samples").iterdir())) in (1, 3, 6)  # vectors, pictures, frames with a GIF
