from __future__ import annotations

import pytest
import torch

from ganlab.errors import UserError
from ganlab.nn import (
    Conditioning,
    Normalizer,
    Projection,
    chosen_name,
    conditional_activation,
    conditioning_of,
    scaled_product,
    with_label,
)

LABELS = torch.tensor([2, 0, 2, 1])


def test_a_projection_is_the_inner_product_with_the_labels_vector() -> None:
    projection = Projection(3, 5).double()
    features = torch.randn(4, 5, dtype=torch.float64)
    weight = projection.weight.detach()
    expected = [[float(weight[label] @ row)] for label, row in zip(LABELS, features, strict=True)]
    torch.testing.assert_close(projection(features, LABELS).detach(), torch.tensor(expected, dtype=torch.float64))


def test_a_scaled_product_has_the_variance_of_its_factors() -> None:
    outputs, vectors = torch.randn(2, 4, 7, dtype=torch.float64)
    expected = torch.einsum("nc,nc->n", outputs, vectors)[:, None] * 7**-0.5
    torch.testing.assert_close(scaled_product(outputs, vectors), expected)


def test_concatenated_labels_are_a_map_of_each_class() -> None:
    images = torch.randn(4, 2, 3, 5, dtype=torch.float64)
    joined = Conditioning("concatenated", 3).joined(images, LABELS)
    assert joined.shape == (4, 5, 3, 5)
    assert torch.equal(joined[:, :2], images)
    for row, label in enumerate(LABELS):
        for place in range(3):
            assert torch.equal(joined[row, 2 + place].unique(), torch.tensor([float(place == label)]).double())
    vectors = torch.randn(4, 2)
    assert torch.equal(Conditioning("concatenated", 3).joined(vectors, LABELS), with_label(vectors, LABELS, 3))
    assert Conditioning("projection", 3).joined(images, LABELS) is images


@pytest.mark.parametrize(
    ("name", "outputs"), [("projection", 1), ("classifier", 4), ("concatenated", 1), ("scores", 3), ("none", 1)]
)
def test_what_a_network_ends_with_becomes_logits_and_scores_of_classes(name, outputs) -> None:
    conditioning = Conditioning(name, 3)
    assert conditioning.outputs == outputs
    ends, features = torch.randn(4, outputs), torch.randn(4, 2)
    scores = conditioning.scores(ends, features, LABELS)
    place = LABELS if name == "scores" else torch.zeros(4, dtype=torch.int64)
    assert torch.equal(scores.logits, ends[torch.arange(4), place])
    assert scores.features == (features,)
    if name == "classifier":
        assert torch.equal(scores.class_scores, ends[:, 1:])
    else:
        assert scores.class_scores is None


def test_nothing_chosen_is_what_is_usual_where_there_are_labels() -> None:
    assert conditioning_of(None, "scores", 3) == Conditioning("scores", 3)
    assert conditioning_of("classifier", "scores", 3) == Conditioning("classifier", 3)
    for nothing in (
        conditioning_of(None, "scores", 0),
        conditioning_of(None, "scores", 3, conditional=False),
        conditioning_of("none", "scores", 3),
        conditioning_of("none", "scores", 0, conditional=False),
    ):
        assert nothing == Conditioning("none", 0)


def test_a_choice_that_the_data_do_not_allow_is_refused_with_a_sentence() -> None:
    with pytest.raises(UserError, match="'conditioning: classifier' needs data with labels, and these have none"):
        conditioning_of("classifier", "projection", 0)
    with pytest.raises(UserError, match="contradict each other"):
        chosen_name("concatenated", "embedded", "none", 3, conditional=False)


def test_a_normalizer_that_would_lose_the_label_is_refused_with_a_sentence() -> None:
    with pytest.raises(UserError, match="leaves their outputs as they are"):
        conditional_activation(Normalizer(), 4, 3)
