"""Every generator of every family in ONNX and TorchScript; with `-s` the table of docs/in-and-out.md is printed."""

import pytest

from ganlab.errors import UserError
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.exchange.graph import GeneratorGraph
from ganlab.exchange.graph_files import write_onnx, write_torchscript
from ganlab.plugin_contracts import load
from ganlab.plugins import find, installed
from ganlab.run.generator_file import build_sampler
from ganlab.spec import node_from
from ganlab.testing.examples import EXAMPLE_FACTS

OPTIONS = {"biggan": {"standing": 2, "truncation": 0.5}}


def pairs():
    """Each architecture with its example's generator, and each further generator with the first of its family."""
    for architecture in installed("architectures"):
        example = getattr(load(architecture), "example", {})
        yield architecture.name, example.get("generator", {}).get("name", "")
    # Generators with facts of their own are called otherwise than those of their family's first game.
    images = (each for each in installed("generators") if not each.name.endswith("_encoder"))
    images = (each for each in images if not hasattr(load(each), "example_facts"))
    for generator in images:
        for architecture in installed("architectures"):
            if architecture.distribution == generator.distribution:
                yield architecture.name, generator.name
                break


def built(architecture: str, generator: str):
    made_by = load(find("architectures", architecture))
    example = dict(getattr(made_by, "example", {}))
    if generator and example.get("generator", {}).get("name") != generator:
        example["generator"] = {"name": generator, **getattr(load(find("generators", generator)), "example", {})}
    node = node_from("architectures", {"name": architecture, **example})
    own_facts = getattr(made_by, "example_facts", None)
    refusal = None
    for facts in EXAMPLE_FACTS.values() if own_facts is None else [own_facts]:
        try:
            return TrainedGenerator(build_sampler(node, facts, 0, averaged=False).eval(), architecture)
        except UserError as error:
            refusal = error
    raise refusal


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "generator"), sorted(set(pairs())))
def test_exported_images_are_those_of_the_generator(architecture, generator, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    try:
        trained = built(architecture, generator)
    except UserError as refusal:
        pytest.skip(str(refusal))
    options = OPTIONS.get(architecture, {})
    row = [architecture, generator]
    for write, name in ((write_onnx, "x.onnx"), (write_torchscript, "x.pt")):
        graph = GeneratorGraph(trained, options)
        parity = write(graph, tmp_path / name)
        assert parity.holds
        row.append(f"{parity.difference:.1e}")
    row.append(f"{parity.deviation:.2g}")
    print(f"| {' | '.join([*row, ', '.join(graph.names)])} |")
