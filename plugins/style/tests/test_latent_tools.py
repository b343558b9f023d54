"""The tools for latents on this family's networks, from Python and from the command line, on a run's folder."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import ganlab
from ganlab.build import build_dataset, build_module
from ganlab.cli.app import app
from ganlab.contracts import WithStyles
from ganlab.errors import UserError
from ganlab.latents import Space, arithmetic, compare_noise, compare_values, interpolate, mix, pca, project, sefa
from ganlab.run.folder import create_run
from ganlab.spec import read_spec
from ganlab.training.checkpoint import module_state, save_checkpoint

NETWORKS = ("stylegan2", "stylegan")
SPEC = """\
name: tiny-styles
kimg: 1
data: {{name: digits, resolution: 16, batch_size: 8, labels: {labels}}}
architecture:
  name: style
  generator: {{name: {network}, latent_size: 8, style_size: 8, channel_base: 64, channel_max: 8, mapping_layers: 1}}
  discriminator: {{name: stylegan2, channel_base: 64, channel_max: 8, stddev_group: 0}}
  loss: non_saturating
optimizers:
  generator: {{name: adam, lr: 1.0e-3}}
  discriminator: {{name: adam, lr: 1.0e-3}}
trainer: {{accelerator: cpu}}
"""


def make_run(folder, network="stylegan2", labels="true"):
    """A run's folder with untrained networks whose noise shows and whose styles have a mean."""
    torch.manual_seed(0)
    path = folder / "spec.yaml"
    path.write_text(SPEC.format(network=network, labels=labels))
    spec = read_spec(path)
    facts = build_dataset(spec.data).facts
    module = build_module(spec, facts)
    generator = module.averages.copies["generator"]
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            torch.nn.init.constant_(parameter, 0.3)
    generator.average.observe(torch.randn(64, 8, generator=torch.Generator().manual_seed(0)))
    generator.average.commit()
    run = create_run(folder / "runs", spec.name)
    (run.path / "spec.yaml").write_text(path.read_text())
    (run.path / "provenance.json").write_text(json.dumps({"facts": facts.to_record()}))
    save_checkpoint(run.last_checkpoint, module_state(module))
    return run.path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that tests only read."""
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(params=NETWORKS)
def generator(request, tmp_path):
    return ganlab.load(make_run(tmp_path, request.param), device="cpu")


def test_the_contract_of_styles(generator):
    module = generator.module
    assert isinstance(module, WithStyles)
    assert module.style_layers() == 6
    assert module.mean_style().shape == (8,)
    latents = generator.draw(2, 1)
    assert module.map(latents).shape == (2, 6, 8)
    torch.testing.assert_close(module.map(latents, psi=0.0)[1, 3], module.mean_style())
    assert [weight.shape[1] for weight in module.style_weights()] == [8] * 6


def test_layers_answer_to_their_styles_by_their_weights(generator):
    """What moves a layer's style along the kernel of its weights changes nothing; along the first direction it does."""
    module = generator.module
    styles = module.map(generator.draw(1, 1))
    plain = module.synthesise(styles, noise="none")
    weight = module.style_weights()[1].detach().double()
    *_, directions = torch.linalg.svd(weight)
    moved = styles.clone()
    moved[:, 1] += directions[0].to(styles)
    assert not torch.allclose(module.synthesise(moved, noise="none"), plain, atol=1e-4)
    if len(weight) < 8:
        moved = styles.clone()
        moved[:, 1] += directions[-1].to(styles)
        torch.testing.assert_close(module.synthesise(moved, noise="none"), plain, atol=1e-4, rtol=0)


def test_styles_of_seeds_by_layer(generator):
    module, own, other = generator.module, generator.draw(2, 1), generator.draw(1, 7)
    other.labels = own.labels[:1]
    mixed = module.map(own, styles={2: 7, 4: None})
    torch.testing.assert_close(mixed[:, :2], module.map(own)[:, :2])
    torch.testing.assert_close(mixed[0, 2:4], module.map(other)[0, 2:4])
    torch.testing.assert_close(mixed[:, 4:], module.map(own)[:, 4:])
    assert not torch.equal(generator.sample(1, styles={2: 7}), generator.sample(1))
    with pytest.raises(UserError, match="names layer 6; there are the layers 0 to 5"):
        generator.sample(1, styles={6: 1})
    with pytest.raises(UserError, match="the sampling option 'styles'"):
        generator.sample(1, styles={"first": 1})


def test_all_tools_show_what_they_should(generator):
    assert interpolate(generator, ["1:0,1:7"], steps=2).images.shape == (1, 3, 1, 16, 16)
    assert interpolate(generator, ["1:0,2:7"], steps=2, space="z").images.isfinite().all()
    grid = mix(generator, "1,2", "3", "coarse", label="4")
    torch.testing.assert_close(grid.images[1, 0], Space(generator).images(Space(generator).at("1:4"))[0])
    row = compare_values(generator, "1,2", [0, 1], label="3")
    torch.testing.assert_close(row.images[0, 0], row.images[1, 0])
    noise = compare_noise(generator, "1", draws=4)
    assert noise.titles == ["all", "none", "fine", "coarse", "deviation"]
    assert float(noise.images[0, 4].amax()) == 1
    assert arithmetic(generator, "1 - 2 + 3").strip.images.shape[:2] == (1, 4)
    for found in (sefa(generator, 2, samples=100), pca(generator, 2, samples=100)):
        assert found.strip(generator, 0, "1", [-1, 1]).images.isfinite().all()


def test_the_style_of_a_generated_image_is_found(generator):
    target = generator.sample(1, 5, label="3")
    found = project(generator, target, "w+", steps=100, label="3", distance="discriminator")
    assert found.distance < 0.2 * found.first
    assert [part.shape[2] for part in found.noise] == ([4, 4] if len(found.noise) == 6 else [4]) + [8, 8, 16, 16]


def ganlab_command(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if isinstance(result.exception, UserError):
        raise result.exception
    return result


def test_commands_write_files_with_the_same_bytes_again(run, tmp_path):
    image = tmp_path / "sample"
    ganlab_command("sample", run, "styles.2=5", "psi=0.7", "--count", "1", "--out", image)
    target = image / "00000.png"
    commands = [
        ("interpolate", run, "psi=0.7", "--between", "1,2:3", "--steps", "2", "--movie", "gif", "--frames", "2"),
        ("mix", run, "--rows", "1", "--columns", "2,3", "--layers", "0-1"),
        ("truncation", run, "noise=none", "--seeds", "1", "--values", "0,1"),
        ("noise", run, "--seeds", "1", "--draws", "2"),
        ("arithmetic", run, "1 - 2:0 + 3"),
        ("directions", run, "--method", "pca", "--count", "2", "--seeds", "1", "--samples", "200"),
        ("project", run, target, "--steps", "5"),
    ]
    for name, *arguments in commands:
        first, again = tmp_path / f"{name}-1", tmp_path / f"{name}-2"
        for out in (first, again):
            result = ganlab_command(name, *arguments, "--out", out)
            assert result.exit_code == 0, result.output
        files = sorted(path.name for path in first.iterdir())
        assert files == sorted(path.name for path in again.iterdir())
        assert all((first / file).read_bytes() == (again / file).read_bytes() for file in files), name
        assert all(file in result.output for file in files)
        with pytest.raises(UserError, match="exists already"):
            ganlab_command(name, *arguments, "--out", first)
    with np.load(tmp_path / "project-1" / "w+.npz") as saved:
        assert saved["styles"].shape == (1, 6, 8)
        assert saved["distances"].shape == (5,)
    sheet = ganlab_command(
        "interpolate", run, "--between", f"{tmp_path / 'project-1' / 'w.npz'},3", "--out", tmp_path / "between"
    )
    assert sheet.exit_code == 0
    assert Image.open(tmp_path / "between" / "strip.png").width > 900


def test_attributes_are_learned_from_the_runs_own_data(tmp_path):
    run = make_run(tmp_path, labels="false")
    with pytest.raises(UserError, match="a direction needs 10 with the attribute"):  # untrained: no digit at all
        ganlab_command("directions", run, "--method", "attributes", "--samples", "100", "--out", tmp_path / "found")
    with pytest.raises(UserError, match="the metric 'swd' cannot label images"):
        ganlab_command("directions", run, "--method", "attributes", "--labeller", "swd")
    with pytest.raises(UserError, match="have the shape"):
        ganlab_command("directions", run, "--method", "attributes", "--data", "{name: digits, resolution: 8}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["truncation", "--values", "x"], "the sampling option 'psi'"),
        (["interpolate", "--between", "1,x"], "'x' names no latents"),
        (["mix", "psy=1"], "no sampling option 'psy'.*'psi'"),
        (["directions", "--strengths", "a"], "--strengths takes numbers"),
        (["project", "none.png"], "none.png cannot be read as a picture"),
        (["arithmetic", "1"], "is no sum"),
        (["noise", "--label", "10"], "there is no label 10"),
    ],
)
def test_what_is_written_wrong_is_told(arguments, sentence, run, tmp_path):
    name, *rest = arguments
    with pytest.raises(UserError, match=sentence):
        ganlab_command(name, run, *rest, "--out", tmp_path / "out")
