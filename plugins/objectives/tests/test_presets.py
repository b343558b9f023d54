import pytest
from ganlab_objectives.wgan_gp import wgan_gp

from ganlab.errors import SpecError
from ganlab.schedules import Schedule
from ganlab.spec import read_spec

SPEC = """\
name: presets
kimg: 1
data: {name: digits, resolution: 16, batch_size: 64}
architecture:
  name: gan
  generator: mlp
  discriminator: mlp
  loss: LOSS
  regularizers: REGULARIZERS
optimizers: {generator: adam, discriminator: adam}
"""


def architecture(tmp_path, loss="hinge", regularizers="[]"):
    """The options of the architecture, presets expanded."""
    pytest.importorskip("ganlab_gan")
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.replace("LOSS", loss).replace("REGULARIZERS", regularizers))
    return read_spec(path).architecture.options


def test_wgan_gp_without_drift():
    nodes = wgan_gp(gradient_penalty=1.0, drift=0).nodes
    assert nodes["regularizers"] == [{"name": "ganlab-objectives/gradient_penalty", "weight": 1.0}]


def test_wgan_gp(tmp_path):
    options = architecture(tmp_path, "wgan_gp")
    assert options["loss"].name == "wasserstein"
    assert [(node.name, node.weight, node.every) for node in options["regularizers"]] == [
        ("gradient_penalty", 10.0, 1),
        ("drift", 0.001, 1),
    ]
    assert options["regularizers"][0].options["target"] == 1.0


def test_r3gan(tmp_path):
    options = architecture(tmp_path, "{name: r3gan, gamma: {cosine: [2, 0.2], over_kimg: 100}}")
    assert (options["loss"].name, options["loss"].options) == ("relativistic", {"inner": "logistic"})
    gamma = Schedule("cosine", ((0.0, 2.0), (100_000.0, 0.2)))
    assert [(node.name, node.weight, node.every) for node in options["regularizers"]] == [
        ("r1", gamma, 1),
        ("r2", gamma, 1),
    ]


def test_bcr_and_zcr(tmp_path):
    nodes = architecture(tmp_path, regularizers="[{name: bcr, weight: 5}, zcr]")["regularizers"]
    found = {node.name: (node.weight, node.options) for node in nodes}
    assert found["consistency"][0] == 5
    assert found["consistency"][1]["fakes"] == 1
    assert found["latent_consistency"] == (20.0, {"deviation": 0.05})
    assert found["latent_diversity"] == (0.5, {"deviation": 0.05})


def test_r1_heuristic_of_the_data_of_a_spec(tmp_path):
    node = '{name: r1_heuristic, resolution: "${data.resolution}", batch_size: "${data.batch_size}", scale: 10}'
    (r1,) = architecture(tmp_path, regularizers=f"[{node}]")["regularizers"]
    assert (r1.name, r1.every) == ("r1", 16)
    assert r1.weight == pytest.approx(10 * 2e-4 * 16 * 16 / 64)


def test_r1_heuristic_says_all_that_it_needs(tmp_path):
    with pytest.raises(SpecError) as caught:
        architecture(tmp_path, regularizers="[r1_heuristic]")
    assert "resolution: is missing: r1_heuristic needs an integer of at least 1" in str(caught.value)
    assert "batch_size: is missing: r1_heuristic needs an integer of at least 1" in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "option"),
    [
        ("{name: wgan_gp, gradient_penalty: -1}", "loss.gradient_penalty"),
        ("{name: r3gan, gamma: {linear: [1, -1], over_kimg: 1}}", "loss.gamma"),
    ],
)
def test_weights_below_zero_are_refused_where_they_stand(tmp_path, loss, option):
    with pytest.raises(SpecError, match=rf"spec.yaml:8: architecture.{option}: needs a number of at least 0"):
        architecture(tmp_path, loss)


@pytest.mark.parametrize(
    ("resolution", "batch_size", "published"), [(256, 16, 0.8192), (512, 8, 6.5536), (1024, 4, 52.4288)]
)
def test_r1_heuristic_is_the_automatic_configuration_of_one_gpu(resolution, batch_size, published):
    from ganlab_objectives.r1_heuristic import r1_heuristic

    assert r1_heuristic(resolution, batch_size).nodes["regularizers"][0]["weight"] == pytest.approx(published)
