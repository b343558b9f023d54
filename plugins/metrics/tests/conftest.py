"""Weights that stand for those that nobody has to download: of the right networks, random and seeded."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def parity():
    """`parity.py` beside this file, as a module."""
    spec = importlib.util.spec_from_file_location("parity", Path(__file__).parent / "parity.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def inception_weights(parity, tmp_path_factory):
    """A file with seeded random weights of Inception; activations keep their size through all layers."""
    return parity.write_inception_weights(tmp_path_factory.mktemp("weights") / "inception.pth")
