"""`ganlab sample` on a run of a family with typed sampling options, and the same options in its spec."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from ganlab.build import build_module
from ganlab.cli.app import app
from ganlab.cli.sample import read_seeds, write
from ganlab.errors import PluginError, SpecError, UserError
from ganlab.run.folder import create_run
from ganlab.spec import read_spec
from ganlab.spec.model import Spec
from ganlab.spec.sampling import check_sampling
from ganlab.training.checkpoint import module_state, save_checkpoint
from ganlab.training.module import GANModule
from tests.toy import TOY_PLUGINS, TOY_SPEC, toy_modules

POSED = '''
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le

from ganlab.facts import InputFacts
from ganlab_toy import ToyData, ToyGAN


class PosedGAN(ToyGAN):
    """Images that show their options: a row each for psi, the pose, the noise and the code, and the label below."""

    calls = []

    def before_sampling(self, random, *, averaged=True, **options):
        if random.device.type != "meta":  # a rehearsal
            self.calls.append(options)

    def render(
        self,
        latents,
        *,
        averaged: bool = True,
        psi: Annotated[float, Ge(0), Le(1)] = 1.0,
        pose: Sequence[float] = (0.0, 0.0),
        noise: Literal["random", "none"] = "random",
        code: Mapping[int, int] = {},
    ):
        """Images of latents.

        Args:
            psi: how far latents may be from their mean.
        """
        images = torch.full((len(latents), 1, 4, 4), -1.0)
        images[:, 0, 0] = psi
        images[:, 0, 1, :2] = torch.tensor(pose)
        images[:, 0, 2] = 1.0 if noise == "random" else -1.0
        for place, value in code.items():
            images[:, 0, 3, place] = value / 10
        images[:, 0, 1, 2] = latents.labels.float()
        if "photo" in latents.inputs:
            images[:, 0, 1, 3] = latents.inputs["photo"][:, 0, 0, 0]
        return images


class PhotoData(ToyData):
    """The noise with photos, which are bright; others are held out, which are dark."""

    def __init__(self, value: int = 255, size: int = 8, lone: bool = False):
        super().__init__(4, size)
        self.value = value
        photo = {} if lone else {"photo": InputFacts((1, 4, 4), "images")}
        self.facts = type(self.facts)(
            (1, 4, 4), size, f"photos-{value}-{size}", class_names=self.facts.class_names, inputs=photo
        )
        if lone:
            self.images[:] = value
        elif value == 255:
            self.held_out = PhotoData(0, 5)
            self.facts = type(self.facts).from_record({**self.facts.to_record(), "held_out": "photos-0-5"})

    def __getitem__(self, index):
        example = {"images": self.images[index], "label": 1 - index % 2}
        photo = {"photo": torch.full((1, 4, 4), self.value, dtype=torch.uint8)}
        return {**example, **photo} if self.facts.inputs else example
'''
PLUGINS = {
    **TOY_PLUGINS,
    "architectures": {"posed": "ganlab_posed:PosedGAN"},
    "datasets": {**TOY_PLUGINS["datasets"], "photos": "ganlab_posed:PhotoData"},
}
SPEC = TOY_SPEC.replace("  name: toy\n  generator", "  name: posed\n  generator")


@pytest.fixture
def posed(install):
    return install("ganlab-posed", PLUGINS, {**toy_modules(), "ganlab_posed": POSED})


@pytest.fixture
def run_of(posed, tmp_path):
    """Makes a run folder with a checkpoint from a spec."""

    def make(text):
        (tmp_path / "spec.yaml").write_text(text)
        spec: Spec = read_spec(tmp_path / "spec.yaml")
        from ganlab.build import build_dataset

        facts = build_dataset(spec.data).facts
        run = create_run(tmp_path / "runs", spec.name)
        (run.path / "spec.yaml").write_text(text)
        (run.path / "provenance.json").write_text(json.dumps({"facts": facts.to_record()}))
        save_checkpoint(run.last_checkpoint, module_state(build_module(spec, facts)))
        return run.path

    return make


def ganlab(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def test_options_seeds_and_labels_reach_the_samples(run_of, tmp_path):
    run, out = run_of(SPEC), tmp_path / "out"
    options = ["psi=0.5", "pose=[0.1, 1.0]", "noise=none", "code.0=3", "code.2=10"]
    assert "3 files" in ganlab("sample", run, *options, "--seeds", "4,7-8", "--label", "b", "--out", out)
    image = pixels(out / "00002.png")
    assert image[0].tolist() == [round(127.5 * 1.5)] * 4
    assert image[1, :3].tolist() == [round(127.5 * 1.1), 255, 255]
    assert image[2].tolist() == [0] * 4
    assert image[3].tolist() == [round(127.5 * 1.3), 0, 255, 0]
    ganlab("sample", run, "--count", "2", "--out", tmp_path / "plain")
    plain = [pixels(tmp_path / "plain" / f"0000{index}.png") for index in range(2)]
    assert [image[1, 2] for image in plain] == [128, 255]  # classes one after the other
    assert (plain[0][[0, 2]] == 255).all()
    ganlab("sample", run, "--count", "3", "--grid", "--out", out)
    assert max(Image.open(out / "grid.png").size) > 900
    ganlab("sample", run, "--count", "6", "--grid", "--columns", "6", "--out", tmp_path / "row")
    width, height = Image.open(tmp_path / "row" / "grid.png").size
    assert width > 5 * height
    refused = CliRunner().invoke(app, ["sample", str(run), "--count", "6", "--columns", "6", "--out", str(tmp_path)])
    assert refused.exit_code == 2


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("pzi=0.5", "no sampling option 'pzi'; it has: psi, pose, noise, code.*did you mean 'psi'"),
        ("psi=2", "'psi' of PosedGAN needs a number from 0 to 1, not 2"),
        ("psi=true", "'psi' of PosedGAN needs a number"),
        ("noise=nome", "'noise' of PosedGAN needs random | none, not 'nome'.*did you mean 'none'"),
        ("pose=3", "'pose' of PosedGAN needs a list"),
        ("code.0=much", "'code' of PosedGAN needs a mapping"),
        ("psi", "name=value"),
    ],
)
def test_wrong_options_are_refused_with_a_sentence(run_of, tmp_path, option, sentence):
    with pytest.raises(UserError, match=sentence):
        ganlab("sample", run_of(SPEC), "--count", "1", option, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_spec_says_where_its_wrong_options_stand(posed, tmp_path):
    path = tmp_path / "wrong.yaml"
    sampling = "snapshots: {every_kimg: 0.032, sampling: {pzi: 0.5}}\n"
    path.write_text(SPEC.replace("snapshots: {every_kimg: 0.032, grid: [2, 2]}\n", sampling))
    line = path.read_text().splitlines().index(sampling.strip()) + 1
    with pytest.raises(SpecError) as caught:
        read_spec(path, ["evaluation.sampling={psi: 7, code: {0: 2}}"])
    said = str(caught.value)
    assert "evaluation.sampling.psi: the sampling option 'psi' of PosedGAN needs a number" in said
    assert f"{path}:{line}: snapshots.sampling.pzi: PosedGAN has no sampling option 'pzi'" in said
    assert "did you mean 'psi'" in said


def test_options_of_a_spec_are_used_recorded_and_made_ready_for_once(posed, tmp_path):
    path = tmp_path / "spec.yaml"
    text = SPEC.replace("samples: 16}", "samples: 16, sampling: {psi: 0.0}}")
    path.write_text(text.replace("grid: [2, 2]}", "grid: [2, 2], sampling: {noise: none, code: {1: 10}}}"))
    changes = ["kimg=0.032", "evaluation.metrics=[toy]", "tracking.progress=false", "diversity=null"]
    run = ganlab("train", path, *changes, "--runs", tmp_path / "runs").splitlines()[-1]
    record = json.loads(Path(run, "metrics.jsonl").read_text())
    assert record["protocol"]["sampling"] == {"psi": 0.0}
    picture = pixels(f"{run}/samples/latest.png")[:, -400:]
    step = picture.shape[0] // 8
    rows = [picture[step * row + step // 2] for row in range(4)]
    assert rows[0].min() == 255
    assert rows[2].max() == 0
    assert rows[3].max() == 255
    import ganlab_posed

    # Pictures at the start and at the end, and an evaluation between them: once for each weights and options.
    of_pictures, of_metrics = {"noise": "none", "code": {1: 10}}, {"psi": 0.0}
    assert ganlab_posed.PosedGAN.calls == [of_pictures, of_pictures, of_metrics]


def test_samples_are_made_for_held_out_examples_or_for_others(run_of, tmp_path):
    run = run_of(SPEC.replace("  name: toy\n  resolution: 4\n", "  name: photos\n"))
    ganlab("sample", run, "--count", "2", "--out", tmp_path / "own")
    own = [pixels(tmp_path / "own" / f"0000{index}.png")[1, 2:].tolist() for index in range(2)]
    assert own == [[255, 0], [128, 0]]  # the labels and the dark photos of held-out examples
    for node in ("{name: photos, value: 51, size: 3}", "{name: photos, value: 51, lone: true}"):
        ganlab("sample", run, "--count", "1", "--inputs", node, "--out", tmp_path / "others", "--overwrite")
        assert pixels(tmp_path / "others" / "00000.png")[1, 3] == 51
    ganlab("sample", run, "--count", "4", "--grid", "--out", tmp_path / "own")
    width, height = Image.open(tmp_path / "own" / "grid.png").size
    assert width == pytest.approx(3 * height, abs=10)  # photo, fake, target
    for node, sentence in (
        ("{name: toy, resolution: 8}", "'photo' as images of 1 x 4 x 4; the examples of --inputs have images of 1 x 8"),
        ("{name: photoz}", "did you mean 'photos'"),
        ("[1, 2]", "--inputs: needs a name"),
    ):
        with pytest.raises(UserError, match=sentence):
            ganlab("sample", run, "--count", "1", "--inputs", node, "--out", tmp_path / "none")


def test_inputs_are_refused_where_a_run_takes_none(run_of, tmp_path):
    with pytest.raises(UserError, match="leave --inputs out"):
        ganlab("sample", run_of(SPEC), "--count", "1", "--inputs", "toy", "--out", tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "option", "reason"),
    [
        (("--movie", "mp4"), "--movie", "these samples are no sequences"),
        (("--fps", "3"), "--fps", "these samples are no sequences"),
        (("--movie", "gif", "--grid"), "--movie", "a grid is a picture"),
    ],
)
def test_options_of_films_are_refused_where_no_film_is_written(run_of, tmp_path, arguments, option, reason):
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["sample", str(run_of(SPEC)), "--count", "1", "--out", str(out), *arguments])
    assert result.exit_code == 2
    assert f"Invalid value for {option}: {reason}, so that no film is written" in result.output
    assert not out.exists()


def test_a_sampling_option_needs_a_default():
    class Demanding(GANModule):
        def render(self, latents, *, averaged=True, psi: float):
            """Never called."""

    with pytest.raises(PluginError, match="'psi' of Demanding has no default"):
        check_sampling(Demanding, {})


def test_an_architectures_sampling_options_are_listed(posed):
    text = ganlab("plugins", "architectures", "posed")
    assert "Sampling options" in text
    assert "  psi: a number from 0 to 1; default 1.0\n      How far latents may be" in text
    assert "averaged" not in text
    assert "Sampling options" not in ganlab("plugins", "datasets", "toy")
    reference = ganlab("schema", "--markdown")
    assert "| `noise` | random \\| none | random |" in reference.partition("Sampling options, for")[2]
    assert yaml.safe_load(ganlab("schema"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sample", "x", "--count", str(10**12)], "--count"),
        (["evaluate", "x", "--samples", str(10**15)], "--samples"),
        (["evaluate", "x", "--neighbours", "100000"], "--neighbours"),
    ],
)
def test_numbers_beyond_all_measure_are_refused(arguments, sentence):
    """Each once took memory without bound."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Invalid value" in result.output


@pytest.mark.parametrize("seeds", ["0-999999999999", "9" * 30, f"1-{'9' * 5000}"])
def test_seeds_beyond_all_measure_are_refused(seeds):
    with pytest.raises(UserError, match="--seeds takes numbers below 2\\*\\*63, and at most 1,000,000 of them"):
        read_seeds(seeds)


def test_a_picture_of_too_many_samples_is_refused(tmp_path):
    with pytest.raises(UserError, match="a picture holds at most 10,000 samples, not 100,000"):
        write(None, iter(()), 100_000, tmp_path, grid=True, overwrite=False)
