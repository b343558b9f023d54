from __future__ import annotations

import pytest
import torch
from ganlab_video.motion import flows_of
from ganlab_video.raft import Raft
from torchvision.models.optical_flow import raft_small

from ganlab import DataFacts, UserError


def test_without_weights_a_sentence_says_what_to_fetch(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLAB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UserError, match=r"Fetch https://.*raft_large_C_T_SKHT_V2-ff5fadd5.pth and put it into"):
        flows_of("raft_large", DataFacts((2, 3, 16, 16), 1, "x", frames=2))


@pytest.mark.slow
def test_flows_are_torchvisions_in_the_pixels_of_the_frames(tmp_path):
    torch.manual_seed(0)
    network = raft_small(weights=None).eval()
    torch.save(network.state_dict(), tmp_path / "raft.pth")
    raft = Raft("raft_small", str(tmp_path / "raft.pth"))
    assert not list(raft.parameters())
    assert not raft.state_dict()
    films = torch.rand(1, 3, 3, 128, 136) * 2 - 1
    flows = raft(films)
    assert flows.shape == (1, 3, 3, 128, 136)
    assert not flows[:, 0].any()
    with torch.no_grad():
        expected = network(films[:, 2], films[:, 1])[-1]
    assert torch.allclose(flows[:, 2, :2], expected, atol=1e-4)
    assert set(flows[:, 1:, 2].unique().tolist()) <= {0.0, 1.0}
    small = torch.nn.functional.interpolate(films[0], (64, 68), mode="area")[None]
    large = torch.nn.functional.interpolate(small[0], (128, 128), mode="bilinear")
    with torch.no_grad():
        flow = network(large[2:], large[1:2])[-1]
    found = raft(small)[:, 2, :2]
    assert torch.allclose(found.mean((2, 3)), flow.mean((2, 3)) * torch.tensor([68 / 128, 64 / 128]), atol=1e-3)
