"""Directions against numpy's eigenvectors, scikit-learn's components, and a toy whose direction is known."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ganlab.errors import UserError
from ganlab.latents import Space, attribute_directions, load_directions, pca, sefa
from ganlab.latents.attributes import logit_direction
from ganlab.latents.directions import drawn_styles
from tests.latents.toys import LAYERS, plain, styled


def same_line(found: Tensor, wanted: np.ndarray, tolerance: float = 1e-4) -> bool:
    """Whether two unit vectors are equal or opposite."""
    return abs(abs(float(found.double() @ torch.as_tensor(wanted.copy()))) - 1) < tolerance


@pytest.mark.parametrize("layers", [None, [1, 4]])
def test_factorisation_finds_numpys_eigenvectors(layers):
    generator = styled()
    found = sefa(generator, 3, layers, samples=200)
    weights = [weight.detach().double().numpy() for weight in generator.module.style_weights()]
    matrix = np.concatenate([weights[layer] for layer in layers or range(LAYERS)])
    values, vectors = np.linalg.eig(matrix.T @ matrix)
    for number, place in enumerate(np.argsort(values)[::-1][:3]):
        assert same_line(found.vectors[number], vectors[:, place].real)
    assert found.layers == (layers or list(range(LAYERS)))
    assert list(found.names) == ["sefa-0", "sefa-1", "sefa-2"]


def test_components_are_those_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    generator = styled()
    found = pca(generator, 3, samples=500)
    reference = decomposition.PCA(3).fit(drawn_styles(generator, 500, 0).double().numpy())
    for number in range(3):
        assert same_line(found.vectors[number], reference.components_[number])
    torch.testing.assert_close(found.deviations.double().square(), torch.tensor(reference.explained_variance_))


def test_a_strip_moves_along_the_direction_in_its_layers(tmp_path):
    generator = styled()
    found = pca(generator, 2, [0, 1], samples=200)
    strip = found.strip(generator, 1, "3,4", [-2, 0, 2])
    assert strip.titles == ["-2", "+0", "+2"]
    space = Space(generator)
    styles = space.at("3").values.clone()
    torch.testing.assert_close(strip.images[0, 1], space.images(type(space.at("3"))(styles))[0])
    styles[:, :2] += 2 * found.deviations[1] * found.vectors[1]
    torch.testing.assert_close(strip.images[0, 2], space.images(type(space.at("3"))(styles))[0])
    found.save(tmp_path / "found.npz")
    loaded = load_directions(tmp_path / "found.npz")
    assert torch.equal(loaded.vectors, found.vectors)
    assert (loaded.names, loaded.layers) == (["pca-0", "pca-1"], [0, 1])
    np.savez(tmp_path / "other.npz", vectors=np.zeros(2))
    with pytest.raises(UserError, match="holds no directions"):
        load_directions(tmp_path / "other.npz")


def test_what_has_no_directions_is_told():
    with pytest.raises(UserError, match="the factorisation needs styles"):
        sefa(plain(), 1)
    with pytest.raises(UserError, match="there are 6 directions in w"):
        pca(styled(), 7, samples=100)
    generator = styled()
    generator.module.style_weights = lambda averaged=True: []
    with pytest.raises(UserError, match="no linear maps of styles"):
        sefa(generator, 1)


def test_the_slope_of_a_logit_is_found():
    generator = torch.Generator().manual_seed(0)
    slope = torch.tensor([1.0, -2.0, 0.0, 0.5]).double()
    vectors = torch.randn(4000, 4, generator=generator).double() * torch.tensor([1.0, 0.5, 3.0, 1.0])
    noise = torch.rand(4000, generator=generator).double().logit()
    found = logit_direction(vectors, vectors @ slope * 3 + noise > 1)
    assert float(found @ slope / slope.norm()) > 0.995


class Brightness:
    """Says which half of an image is brighter: class 0 the upper one, class 1 the lower."""

    def __init__(self) -> None:
        self.seen = 0

    def update(self, images: Tensor, real: bool, labels: Tensor | None = None) -> None:
        assert real
        assert labels is not None
        self.seen += len(images)

    def probabilities(self, images: Tensor) -> Tensor:
        assert images.dtype == torch.uint8
        difference = (images[..., :4, :].float().mean((1, 2, 3)) - images[..., 4:, :].float().mean((1, 2, 3))) / 10
        return torch.stack([torch.sigmoid(difference), torch.sigmoid(-difference)], dim=1).double()


class Halves:
    """Data whose classes are those of the labeller."""

    def __init__(self) -> None:
        from ganlab.facts import DataFacts

        self.facts = DataFacts((1, 8, 8), 20, "halves", class_names=("upper", "lower"))

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> dict:
        return {"images": torch.zeros(1, 8, 8, dtype=torch.uint8), "label": index % 2}


def test_the_direction_of_an_attribute_is_that_of_a_linear_generator(tmp_path):
    """Images are linear in styles, and so is the difference of two halves: its gradient is the direction."""
    generator, labeller = styled(), Brightness()
    found = attribute_directions(generator, labeller, Halves(), ["lower"], samples=2000)
    assert labeller.seen == 20
    weights = torch.stack(list(generator.module.style_weights())).mean(0).view(8, 8, -1)
    slope = weights[4:].mean((0, 1)) - weights[:4].mean((0, 1))
    assert float(found.directions.vectors[0] @ slope / slope.norm()) > 0.9
    scores = found.scores(generator, 0, [-2, 0, 2], samples=64)
    assert scores.shape == (3, 2)
    assert scores[0, 1] < scores[1, 1] < scores[2, 1]
    said = found.report(generator, 0, [-2, 0, 2], tmp_path / "lower.png")
    assert said.startswith("lower: probability 0.")
    assert (tmp_path / "lower.png").stat().st_size > 1000
    again = attribute_directions(generator, Brightness(), Halves(), ["lower"], samples=2000)
    assert torch.equal(again.directions.vectors, found.directions.vectors)


def test_others_stay_where_directions_are_made_orthogonal():
    both = attribute_directions(styled(), Brightness(), Halves(), samples=500)
    apart = attribute_directions(styled(), Brightness(), Halves(), samples=500, keep_others=True)
    assert float(both.directions.vectors[0] @ both.directions.vectors[1]) < -0.99
    assert abs(float(apart.directions.vectors[0] @ both.directions.vectors[1])) < 1e-5


def test_attributes_that_there_are_not_are_told():
    with pytest.raises(UserError, match="there is no attribute 'loer'.*'lower'"):
        attribute_directions(styled(), Brightness(), Halves(), ["loer"])
    labeller = Brightness()
    labeller.probabilities = lambda images: torch.tensor([[1.0, 0.0]]).expand(len(images), 2)
    with pytest.raises(UserError, match="of 200 samples, 0 show 'lower'"):
        attribute_directions(styled(), labeller, Halves(), ["lower"], samples=200)
