"""Checkpoints of other programs are read, and no payload in them runs."""

import argparse
import io
import os
import pickle
import subprocess
from collections import OrderedDict

import pytest
import torch

from ganlab.errors import RunError
from ganlab.exchange.foreign_files import read_foreign
from ganlab.foreign import Record, Tensors, module_tensors, put
from ganlab.testing.network_pickles import network, write_network_pickle


class Payload:
    """Runs a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.made = function, arguments

    def __reduce__(self):
        return self.made


@pytest.fixture
def bomb(tmp_path):
    return lambda: Payload(os.system, f"touch {tmp_path / 'ran'}")


def refused(path, named):
    with pytest.raises(RunError) as error:
        read_foreign(path)
    assert named in str(error.value)
    assert "nothing of the file was run" in str(error.value)
    assert not (path.parent / "ran").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch_are_read(zipped, tmp_path):
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5), "c": torch.randn(2, 2).half(), "none": torch.empty(0)}
    content = {"state": OrderedDict(tensors), "view": tensors["a"].t(), "args": argparse.Namespace(size=3), "n": 1.5}
    torch.save(content, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    read = read_foreign(tmp_path / "x.pt")
    for name, value in tensors.items():
        assert torch.equal(read["state"][name], value)
        assert read["state"][name].dtype == value.dtype
    assert torch.equal(read["view"], tensors["a"].t())
    assert read["n"] == 1.5
    assert isinstance(read["args"], Record)
    assert read["args"].get("size") == 3


def test_networks_are_records(tmp_path):
    weight, mean = torch.randn(2, 3), torch.randn(3)
    inner = network("Layer", {"weight": weight}, gain=0.5)
    path = write_network_pickle(tmp_path / "x.pkl", {"G_ema": network("Net", None, {"mean": mean}, {"fc": inner})})
    record = read_foreign(path)["G_ema"]
    assert record.get("class_name") == "Net"
    assert record.part("fc").get("gain") == 0.5
    tensors = module_tensors(record)
    assert set(tensors) == {"mean", "fc.weight"}
    assert torch.equal(tensors["fc.weight"], weight)


def test_payloads_are_refused_wherever_they_stand(bomb, tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"G_ema": bomb()}))
    refused(path, f"{os.name}.system")
    write_network_pickle(path, {"G_ema": network("Net", inside=bomb())})
    refused(path, f"{os.name}.system")
    for zipped in (True, False):
        torch.save({"weights": torch.ones(2), "more": bomb()}, path, _use_new_zipfile_serialization=zipped)
        refused(path, f"{os.name}.system")
    storage = io.BytesIO()
    torch.save(bomb(), storage, _use_new_zipfile_serialization=False)
    path.write_bytes(pickle.dumps(Payload(torch.storage._load_from_bytes, storage.getvalue())))
    refused(path, f"{os.name}.system")


@pytest.mark.parametrize(
    "function",
    [eval, getattr, __import__, subprocess.check_output, torch.load, pickle.loads, torch.hub.load, torch.nn.Linear],
)
def test_other_functions_are_refused_by_name(function, tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(Payload(function, "print(1)")))
    refused(path, f"{function.__module__}.{function.__qualname__}")


def test_names_within_what_is_allowed_lead_nowhere(tmp_path):
    path = tmp_path / "x.pkl"
    # Protocol 4 lets a name have dots: collections.OrderedDict.__class__ and the like.
    path.write_bytes(b"\x80\x04\x8c\x0bcollections\x8c\x15OrderedDict.__class__\x93.")
    refused(path, "collections.OrderedDict.__class__")
    path.write_bytes(b"\x80\x04cargparse\nNamespace\n}\x8c\x08__call__\x8c\x01xs\x86b.")
    with pytest.raises(RunError):
        read_foreign(path)
    assert "__call__" not in vars(Record)


def test_damaged_files_are_told(tmp_path):
    path = tmp_path / "x.pt"
    with pytest.raises(RunError, match="there is no file"):
        read_foreign(path)
    torch.save({"a": torch.randn(100)}, path)
    whole = path.read_bytes()
    for content in (b"", b"junk", whole[: len(whole) // 2], whole[:-200]):
        path.write_bytes(content)
        with pytest.raises(RunError, match="cannot be read as a checkpoint"):
            read_foreign(path)
    old = io.BytesIO()
    torch.save({"a": torch.randn(100)}, old, _use_new_zipfile_serialization=False)
    path.write_bytes(old.getvalue()[:-8])
    with pytest.raises(RunError, match="cannot be read as a checkpoint"):
        read_foreign(path)


def test_tensors_that_claim_more_than_is_stored_are_refused(tmp_path):
    stored = torch.randn(4).storage()
    path = tmp_path / "x.pkl"
    claims = Payload(torch._utils._rebuild_tensor_v2, stored, 0, (10**9,), (0,), False, OrderedDict())
    path.write_bytes(pickle.dumps(claims))
    with pytest.raises(RunError, match="larger than what is stored"):
        read_foreign(path)


def test_tensors_know_which_were_taken():
    tensors = Tensors({"a.0": torch.ones(2).half(), "a.1": torch.ones(1), "b.kernel": torch.ones(1), "n": 3})
    assert tensors.count("a.{}") == 2
    assert tensors.count("a.{}", 1) == 1
    assert tensors.take("a.0").dtype == torch.float32
    tensors.leave(".kernel")
    assert tensors.left() == ["a.1"]
    with pytest.raises(RunError, match="lacks the tensor 'c'"):
        tensors.take("c")
    with pytest.raises(RunError, match=r"shape \(2,\) does not fit into 'bias' of Linear, which is \(3,\)"):
        put(torch.nn.Linear(2, 3), "bias", torch.ones(2))
