import math

import pytest
import torch
from ganlab_augment.wavelets import SYMLET_2, SYMLET_6, centre, octave_bank


@pytest.mark.parametrize(("taps", "moments"), [(SYMLET_2, 2), (SYMLET_6, 6)])
def test_symlets_are_orthonormal_and_have_their_vanishing_moments(taps, moments):
    h = torch.tensor(taps, dtype=torch.float64)
    assert len(h) == 2 * moments
    assert h.sum().item() == pytest.approx(math.sqrt(2), abs=1e-11)
    for shift in range(0, len(h), 2):
        product = (h[shift:] * h[: len(h) - shift]).sum().item()
        assert product == pytest.approx(float(shift == 0), abs=1e-11)
    k = torch.arange(len(h), dtype=torch.float64)
    for moment in range(moments):
        size = (k**moment * h).abs().sum().item()
        assert abs(((-1) ** k * k**moment * h).sum().item()) < 1e-8 * max(size, 1)


def test_a_ramp_keeps_its_place_when_doubled():
    # Both phases of the filter have the same mean place, so that the doubled ramp is a ramp.
    h = torch.tensor(SYMLET_6, dtype=torch.float64)
    k = torch.arange(len(h), dtype=torch.float64)
    for phase in (0, 1):
        part, place = h[phase::2], k[phase::2]
        assert ((place * part).sum() / part.sum()).item() == pytest.approx(centre(SYMLET_6), abs=1e-9)


def test_octaves_sum_to_the_identity_and_pass_their_band():
    bank = octave_bank(SYMLET_2, 4)
    assert bank.shape == (4, 43)
    identity = torch.zeros(43, dtype=torch.float64)
    identity[21] = 1
    torch.testing.assert_close(bank.sum(0), identity, rtol=0, atol=1e-11)
    torch.testing.assert_close(bank, bank.flip(1), rtol=0, atol=1e-14)
    frequency = torch.linspace(0, math.pi, 400, dtype=torch.float64)
    response = (bank[:, None, :] * torch.cos(frequency[:, None] * torch.arange(-21, 22))).sum(-1)
    assert response.min() > -1e-9
    for band, peak in enumerate((0.02, 0.19, 0.36, 0.95)):  # in the octaves up to 1/8, 1/4, 1/2 and 1
        assert response[:, int(peak * 399)].argmax() == band
