"""A generator's file: alone it is what its run is, in a run's folder it belongs to it, and what is foreign is told."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

import ganlab
from ganlab.build import build_dataset, build_module
from ganlab.cli.app import app
from ganlab.errors import RunError, UserError
from ganlab.run.folder import create_run
from ganlab.run.generator_file import open_generator
from ganlab.spec import dump, read_spec
from ganlab.training.checkpoint import export_generator, module_state, save_checkpoint


@pytest.fixture
def run(toy_spec, tmp_path):
    """A run whose averages are not its networks' first weights."""
    spec = read_spec(toy_spec)
    facts = build_dataset(spec.data).facts
    run = create_run(tmp_path / "runs", spec.name)
    (run.path / "spec.yaml").write_text(dump(spec))
    (run.path / "provenance.json").write_text(json.dumps({"facts": facts.to_record()}))
    module = build_module(spec, facts)
    with torch.no_grad():
        for parameter in module.averages.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    module.clock.advance(40)
    save_checkpoint(run.last_checkpoint, module_state(module))
    export_generator(run.generator, module)
    return run


@pytest.fixture
def file(run, tmp_path):
    """The generator's file somewhere else, where its run is gone."""
    path = tmp_path / "elsewhere" / "mine.safetensors"
    path.parent.mkdir()
    shutil.move(run.generator, path)
    shutil.move(run.path, tmp_path / "gone")
    return path


def with_header(file, header):
    save_file(load_file(file), file, header)


def header_of(file):
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        return json.loads(opened.metadata()["ganlab"])


def test_a_file_alone_gives_the_samples_of_its_run(run, tmp_path):
    expected = ganlab.load(run.path, device="cpu").sample(5, seed=3)
    path = shutil.copy(run.generator, tmp_path / "mine.safetensors")
    alone = ganlab.load(path, device="cpu")
    assert torch.equal(alone.sample(5, seed=3), expected)
    assert (alone.name, alone.facts) == ("toy", run.facts)
    assert alone.module.clock.images_seen == 40
    assert open_generator(path).run is None
    opened = open_generator(run.generator)
    assert opened.run.path == run.path.resolve()
    assert opened.module.kept_measurements.folder == open_generator(run.path).module.kept_measurements.folder
    assert open_generator(path).module.kept_measurements is None


def test_a_file_is_found_in_a_folder_that_is_no_run(run, tmp_path):
    (tmp_path / "imported").mkdir()
    shutil.copy(run.generator, tmp_path / "imported" / "generator.safetensors")
    alone = open_generator(tmp_path / "imported")
    assert (alone.run, alone.name) == (None, "toy")
    (tmp_path / "imported" / "spec.yaml").write_text("kimg: 1\n")
    with pytest.raises(UserError, match=r"spec\.yaml"):  # a run, be it damaged, is opened as one
        open_generator(tmp_path / "imported")


def test_a_header_tells_versions_and_nothing_of_where_the_data_are(file):
    header = header_of(file)
    assert header["plugins"]["architectures/toy"] == "ganlab-toy 1.0"
    assert set(header) == {
        "format", "clock", "name", "seed", "architecture", "facts", "averaged", "packages", "plugins"
    }  # fmt: skip


def test_a_file_without_a_header_is_read_in_its_run_alone(run, tmp_path):
    expected = ganlab.load(run.path, device="cpu").sample(2)
    save_file(load_file(run.generator), run.generator)
    assert torch.equal(ganlab.load(run.generator, device="cpu").sample(2), expected)
    copy = shutil.copy(run.generator, tmp_path / "old.safetensors")
    with pytest.raises(RunError, match="no header that tells its architecture: .* in the folder of their run only"):
        ganlab.load(copy)


def test_sample_and_evaluate_take_a_file_with_a_reference(file, tmp_path):
    runner = CliRunner()
    sampled = runner.invoke(app, ["sample", str(file), "--count", "3", "--out", str(tmp_path / "out")])
    assert sampled.exit_code == 0, sampled.output
    assert len(list((tmp_path / "out").iterdir())) == 3
    node = "{name: toy, resolution: 4}"
    measured = runner.invoke(
        app, ["evaluate", str(file), "--metrics", "toy", "--samples", "8", "--reference", node, "--json"]
    )
    assert measured.exit_code == 0, measured.output
    (record,) = json.loads(measured.stdout)
    assert (record["protocol"]["split"], record["protocol"]["samples"]) == ("reference", 8)
    assert list(file.parent.iterdir()) == [file]
    assert "--reference" in runner.invoke(app, ["evaluate", str(file), "--metrics", "toy"]).output
    for option in (["--neighbours", "2"], ["--truncation-curve", "0.1:1"]):
        result = runner.invoke(app, ["evaluate", str(file), "--metrics", "toy", "--reference", node, *option])
        assert f"'{option[0]}' needs the run" in str(result.exception)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"architecture": {"name": "toys"}}, "cannot be built here: .*toys.*made with ganlab-toy 1.0"),
        ({"architecture": {"name": "toy", "import": "os"}}, "(?s)cannot be built here: .*import"),
        ({"facts": {}}, "the header of .* is damaged: KeyError"),
        ({"clock": 3}, "the header of .* is damaged: TypeError"),
        ({"seed": "x"}, "is damaged"),
        ({"format": 99}, "no generator of this version of ganlab"),
    ],
)
def test_a_foreign_header_is_a_sentence(file, change, sentence):
    with_header(file, {"ganlab": json.dumps(header_of(file) | change)})
    with pytest.raises(RunError, match=sentence):
        open_generator(file)


def test_damaged_and_foreign_files_are_sentences(file, tmp_path):
    with pytest.raises(RunError, match="one generator, with no other checkpoints"):
        open_generator(file, checkpoint="best")
    header = {"ganlab": json.dumps(header_of(file))}
    save_file({"weight": torch.zeros(2)}, file, header)
    with pytest.raises(RunError, match="does not hold the generator that belongs to it: "):
        open_generator(file)
    with_header(file, {"ganlab": "{"})
    with pytest.raises(RunError, match="cannot be read as a generator"):
        open_generator(file)
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(RunError, match="cannot be read as a generator"):
        open_generator(file)
    with pytest.raises(RunError, match="there is no file"):
        open_generator(tmp_path / "none.safetensors")
