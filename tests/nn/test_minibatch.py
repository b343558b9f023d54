from __future__ import annotations

import pytest
import torch

from ganlab.nn.minibatch import MinibatchStandardDeviation


def by_hand(images: torch.Tensor, group: int | None) -> list[float]:
    """The published formula for one image after the other, with M = ceil(N / G) strided groups."""
    count = len(images)
    groups = 1 if group is None else -(-count // group)
    values = []
    for index in range(count):
        members = images[[other for other in range(count) if other % groups == index % groups]].double()
        deviation = ((members - members.mean(0)).square().mean(0) + 1e-8).sqrt()
        values.append(deviation.mean().item())
    return values


def test_published_value_of_strided_groups() -> None:
    images = torch.arange(8.0).view(8, 1, 1, 1)
    appended = MinibatchStandardDeviation(4)(images)[:, 1].flatten()
    torch.testing.assert_close(appended, torch.full((8,), 2.2360680))


@pytest.mark.parametrize("group", [1, 3, 4, None])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 14, 16])
def test_any_batch(count: int, group: int | None) -> None:
    torch.manual_seed(0)
    images = torch.randn(count, 3, 4, 4)
    result = MinibatchStandardDeviation(group)(images)
    assert torch.equal(result[:, :3], images)
    expected = torch.tensor(by_hand(images, group)).float()
    torch.testing.assert_close(result[:, 3], expected[:, None, None].expand(count, 4, 4))


def test_equal_images_have_a_finite_gradient_of_second_order() -> None:
    images = torch.zeros(4, 2, 4, 4, requires_grad=True)
    output = MinibatchStandardDeviation()(images + 0 * images.square()).square().sum()
    (gradient,) = torch.autograd.grad(output, images, create_graph=True)
    gradient.square().sum().backward()
    assert torch.isfinite(images.grad).all()


def test_second_order_gradients() -> None:
    torch.manual_seed(0)
    for count in (4, 5):
        images = torch.randn(count, 2, 2, 2, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradgradcheck(MinibatchStandardDeviation(2), (images,))


def test_statistics_are_exact_in_low_precision() -> None:
    images = (100 + torch.randn(8, 4, 4, 4)).bfloat16()
    result = MinibatchStandardDeviation()(images)
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(
        result[:, 4].float(), MinibatchStandardDeviation()(images.float())[:, 4], rtol=4e-3, atol=0
    )
