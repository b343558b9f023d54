"""Published statistics: what is read, what is refused, and that nothing of a file is run."""

import os
import pickle

import numpy as np
import pytest
import torch

from ganlab.errors import DataError
from ganlab.evaluation.feature_set import Features
from ganlab.evaluation.reference_files import read_statistics, write_statistics

RANDOM = np.random.default_rng(0)
MEAN, COVARIANCE = RANDOM.standard_normal(4), np.eye(4) + 0.1


def check(statistics):
    np.testing.assert_allclose(statistics.features.mean.numpy(), MEAN, rtol=1e-6)
    np.testing.assert_allclose(statistics.features.covariance.numpy(), COVARIANCE, rtol=1e-6)
    assert not statistics.features.has_rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mean_and_covariance_of_an_npz(tmp_path, dtype):
    path = tmp_path / "stats.npz"
    np.savez(path, mu=MEAN.astype(dtype), sigma=COVARIANCE.astype(dtype), mu_s=np.zeros(2), sigma_s=np.eye(2))
    check(read_statistics(path))
    assert read_statistics(path).fingerprint != ""


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_with_several_spaces(tmp_path, protocol):
    path = tmp_path / "refs.pkl"
    other = {"mu": np.zeros(2), "sigma": np.asfortranarray(np.arange(4.0).reshape(2, 2))}
    content = {"fid": {"mu": MEAN, "sigma": COVARIANCE}, "fd_dinov2": other}
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    check(read_statistics(path, "fid"))
    found = read_statistics(path, "fd_dinov2").features.covariance
    torch.testing.assert_close(found, torch.arange(4.0, dtype=torch.float64).view(2, 2))
    with pytest.raises(DataError, match=r"of fid, fd_dinov2; say which, as in '.*refs.pkl:fid'"):
        read_statistics(path)


class Runs:
    def __reduce__(self):
        return os.system, ("touch /tmp/ganlab-was-here",)


@pytest.mark.parametrize("evil", [{"mu": Runs()}, {"mu": np.array([Runs()])}, {"mu": np.array(["a"])}])
def test_nothing_in_a_pickle_is_run(tmp_path, evil, monkeypatch):
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(evil))
    archive = tmp_path / "evil.npz"
    np.savez(archive, mu=np.array([Runs()], dtype=object), sigma=COVARIANCE)
    monkeypatch.setattr(os, "system", lambda command: pytest.fail("it was run"))
    with pytest.raises(DataError):
        read_statistics(path)
    with pytest.raises(DataError):
        read_statistics(archive)


def test_other_files_are_refused_with_a_sentence(tmp_path):
    path = tmp_path / "stats.npz"
    with pytest.raises(DataError, match="cannot be read"):
        read_statistics(path)
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="no .npz of plain arrays"):
        read_statistics(path)
    np.savez(path, images=np.zeros(3))
    with pytest.raises(DataError, match="holds images; statistics of features are 'mu' and 'sigma'"):
        read_statistics(path)
    np.savez(path, mu=MEAN, sigma=np.eye(3))
    with pytest.raises(DataError, match=r"should be \(D,\) and \(D, D\)"):
        read_statistics(path)


def test_what_is_written_is_read_again(tmp_path):
    features = Features(torch.randn(20, 4))
    write_statistics(tmp_path / "own.npz", features)
    read = read_statistics(tmp_path / "own.npz").features
    torch.testing.assert_close(read.covariance, features.covariance)
    assert read.count == 20
    with pytest.raises(DataError, match="as .npz"):
        write_statistics(tmp_path / "own.pkl", features)
