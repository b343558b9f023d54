import torch

from ganlab.nn import PixelNorm


def test_golden_values():
    x = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    expected = torch.tensor([[0.848528137, 1.131370850]], dtype=torch.float64)
    torch.testing.assert_close(PixelNorm()(x), expected, rtol=1e-8, atol=0)


def test_every_pixel_has_a_root_mean_square_of_one():
    images = PixelNorm()(torch.randn(2, 7, 3, 5, dtype=torch.float64) * 100)
    torch.testing.assert_close(images.square().mean(1), torch.ones(2, 3, 5, dtype=torch.float64))


def test_zero_stays_zero_with_a_finite_gradient():
    images = torch.zeros(1, 4, 2, 2, requires_grad=True)
    result = PixelNorm()(images)
    result.sum().backward()
    assert (result == 0).all()
    assert torch.isfinite(images.grad).all()


def test_it_has_no_parameters_and_ignores_a_vector():
    norm, images = PixelNorm(), torch.randn(2, 3, 4, 4)
    assert not list(norm.state_dict())
    assert torch.equal(norm(images, torch.randn(2, 5)), norm(images))


def test_gradients():
    images = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(PixelNorm(), (images,))
    assert torch.autograd.gradgradcheck(PixelNorm(), (images,))
