"""What the tests of the platform and of all plugins share."""

from __future__ import annotations

import pytest


@pytest.fixture
def seeded() -> None:
    """The test draws the same numbers from torch whatever ran before it."""
    import torch

    torch.manual_seed(0)
