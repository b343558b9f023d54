"""`ganlab export` and `ganlab push`: files for other programs, held against the live generator."""

import json

import pytest
import torch
import yaml
from typer.testing import CliRunner

import ganlab
from ganlab.cli.app import app
from ganlab.errors import UserError
from ganlab.exchange import graph_files, hub_folder
from ganlab.exchange.graph import GeneratorGraph
from ganlab.exchange.graph_files import Parity, normal_quantile, write_onnx, write_torchscript
from ganlab.facts import InputFacts
from ganlab.games.two_player import TwoPlayerGAN
from tests.latents.toys import SHAPE, PlainGenerator, plain, styled, trained


@pytest.fixture
def run(toy_spec, tmp_path):
    return ganlab.train(toy_spec, runs=tmp_path / "runs").run


def test_a_graph_has_latents_labels_and_options_as_inputs():
    assert GeneratorGraph(styled(), {}).names == ["z"]
    conditional = plain(classes=3)
    graph = GeneratorGraph(conditional, {})
    assert graph.names == ["z", "labels"]
    latents = conditional.draw(2, 5, label=[0, 2])
    assert torch.equal(graph(latents.values, latents.labels), conditional.render(latents))
    with pytest.raises(UserError, match="no sampling option 'psy'"):
        GeneratorGraph(styled(), {"psy": 1})


class Mirror(TwoPlayerGAN):
    """Images of other images, without noise."""

    def draw_latents(self, random):
        return random.normal("latents", 0)

    def made_from(self, options):
        return ("images",) if options.get("sideways") else ()

    def render(self, latents, *, averaged: bool = True, sideways: bool = False):
        """The same images, mirrored.

        Args:
            sideways: of the data themselves.
        """
        return latents.inputs["images" if sideways else "source"].flip(-1)


def test_a_game_without_noise_has_its_inputs_alone(tmp_path):
    mirror = trained(Mirror, PlainGenerator(0), inputs={"source": InputFacts(SHAPE, "images")})
    assert GeneratorGraph(mirror, {}).names == ["source"]
    graph = GeneratorGraph(mirror, {"sideways": True})
    assert graph.names == ["source", "input_images"]  # as the output is called 'images'
    assert write_torchscript(graph, tmp_path / "x.pt").holds
    images = torch.rand(4, *SHAPE)
    made = torch.jit.load(tmp_path / "x.pt")(torch.zeros_like(images), images)
    assert torch.equal(made, images.flip(-1))


def test_a_number_among_the_options_is_an_input(monkeypatch):
    generator = styled()
    monkeypatch.setattr(type(generator.module), "tensor_options", ("psi",))
    graph = GeneratorGraph(generator, {"noise": "none"})
    assert graph.names == ["z", "psi"]
    latents = generator.draw(2, 5)
    images = graph(latents.values, torch.tensor(0.5))
    torch.testing.assert_close(images, generator.render(latents, psi=0.5, noise="none"))


def test_torchscript_runs_without_ganlab(tmp_path):
    generator = plain(classes=3)
    parity = write_torchscript(GeneratorGraph(generator, {}), tmp_path / "x.pt")
    assert parity.holds
    extra = {"ganlab": ""}
    script = torch.jit.load(tmp_path / "x.pt", _extra_files=extra)
    latents = generator.draw(5, 2)
    torch.testing.assert_close(script(latents.values, latents.labels), generator.render(latents))
    assert json.loads(extra["ganlab"])["inputs"] == ["z", "labels"]


@pytest.mark.slow
def test_onnx_has_the_same_images_for_any_batch(run, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = tmp_path / "toy.onnx"
    result = CliRunner().invoke(app, ["export", str(run.path), "--to", "onnx", "--out", str(path)])
    assert result.exit_code == 0, result.output
    assert "inputs: z, labels" in result.output
    session = onnxruntime.InferenceSession(path)
    generator = ganlab.load(run.path, device="cpu")
    for count in (1, 5):
        latents = generator.draw(count, 3)
        images = session.run(["images"], {"z": latents.values.numpy(), "labels": latents.labels.numpy()})[0]
        torch.testing.assert_close(torch.from_numpy(images), generator.render(latents), atol=1e-5, rtol=0)
    assert json.loads(session.get_modelmeta().custom_metadata_map["ganlab"])["name"] == "toy"
    again = CliRunner().invoke(app, ["export", str(run.path), "--out", str(path)])
    assert isinstance(again.exception, UserError)
    assert "exists already" in str(again.exception)


def test_a_file_whose_images_differ_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(graph_files, "_run_torchscript", lambda graph, path, tensors: graph.expected()[1] + 0.01)
    with pytest.raises(UserError, match="differ from the generator's by up to 0.01"):
        write_torchscript(GeneratorGraph(plain(), {}), tmp_path / "x.pt")
    assert list(tmp_path.iterdir()) == []
    assert Parity(1e-4, 0.5).holds


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(graph_files, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"onnx, onnxscript, onnxruntime: pip install ganlab\[export\]"):
        write_onnx(GeneratorGraph(plain(), {}), tmp_path / "x.onnx")


def test_quantiles_are_those_of_the_normal_distribution():
    shares = torch.tensor([1e-3, 0.02, 0.4, 0.5, 0.977, 0.999], dtype=torch.float64)
    torch.testing.assert_close(normal_quantile(shares), torch.special.ndtri(shares), atol=3e-5, rtol=0)


def test_a_generator_alone_is_exported_again(run, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for source, path in ((run.path, first), (first, second)):
        result = CliRunner().invoke(app, ["export", str(source), "--to", "safetensors", "--out", str(path)])
        assert result.exit_code == 0, result.exception
    assert first.read_bytes() == second.read_bytes() == run.generator.read_bytes()
    refused = CliRunner().invoke(app, ["export", str(first), "psi=1", "--to", "safetensors"])
    assert "leave these out" in str(refused.exception)


def test_a_hub_folder_has_a_card_that_the_hub_reads(run, tmp_path):
    folder = tmp_path / "hub"
    arguments = ["export", str(run.path), "--to", "hub-folder", "--out", str(folder), "--license", "cc-by-4.0"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.exception
    assert {path.name for path in folder.iterdir()} == {"README.md", "generator.safetensors", "grid.png", "recipe.yaml"}
    text = (folder / "README.md").read_text()
    matter = yaml.safe_load(text.split("---\n")[1])
    assert matter["license"] == "cc-by-4.0"
    assert matter["library_name"] == "ganlab"
    value = matter["model-index"][0]["results"][0]["metrics"][0]["value"]
    assert value == ganlab.read_metrics(run.path)[-1]["value"]
    assert "| toy" in text
    assert str(tmp_path) not in text + (folder / "recipe.yaml").read_text()
    huggingface_hub = pytest.importorskip("huggingface_hub")
    card = huggingface_hub.ModelCard(text)
    assert card.data.eval_results[0].metric_value == value
    assert ganlab.load(folder / "generator.safetensors").sample(2).shape == (2, 1, 4, 4)


def test_a_push_needs_a_token_and_a_folder(run, tmp_path, monkeypatch):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    with pytest.raises(UserError, match="has no README.md"):
        hub_folder.upload(tmp_path, "me/toy")
    for name in ("README.md", "generator.safetensors"):
        (tmp_path / name).write_text("x")
    with pytest.raises(UserError, match="owner/name, not 'toy'"):
        hub_folder.upload(tmp_path, "toy")
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(UserError, match="no token"):
        hub_folder.upload(tmp_path, "me/toy")
    calls = []
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "token")
    monkeypatch.setattr(huggingface_hub, "create_repo", lambda *names, **options: calls.append((names, options)))
    monkeypatch.setattr(huggingface_hub, "upload_folder", lambda **options: calls.append(options) or "there")
    result = CliRunner().invoke(app, ["push", str(tmp_path), "me/toy", "--private"])
    assert result.output.strip() == "there"
    assert calls[0] == (("me/toy",), {"private": True, "exist_ok": True})
    assert calls[1] == {"repo_id": "me/toy", "folder_path": tmp_path}
