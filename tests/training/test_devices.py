"""Accelerators and devices that there are not end in a sentence before training."""

import pytest
from pytorch_lightning.accelerators import CUDAAccelerator, MPSAccelerator

from ganlab.errors import SpecError
from ganlab.spec.model import TrainerSection
from ganlab.training.devices import check_devices


def machine_with(monkeypatch: pytest.MonkeyPatch, gpus: int) -> None:
    monkeypatch.setattr(CUDAAccelerator, "is_available", staticmethod(lambda: gpus > 0))
    monkeypatch.setattr(CUDAAccelerator, "auto_device_count", staticmethod(lambda: gpus))
    monkeypatch.setattr(MPSAccelerator, "is_available", staticmethod(lambda: False))


@pytest.mark.parametrize("section", [TrainerSection(), TrainerSection("cpu", devices=8), TrainerSection("gpu", 2)])
def test_what_this_machine_has_passes(monkeypatch: pytest.MonkeyPatch, section: TrainerSection) -> None:
    machine_with(monkeypatch, 2)
    check_devices(section)


@pytest.mark.parametrize(
    ("section", "gpus", "sentence"),
    [
        (TrainerSection("abc"), 0, "trainer.accelerator: there is no accelerator 'abc'; choose from auto, gpu, cpu"),
        (TrainerSection("cud"), 0, "did you mean 'cuda'"),
        (TrainerSection("gpu"), 0, "trainer.accelerator: 'gpu' was asked for, but this machine has none; write 'auto'"),
        (TrainerSection("cuda"), 0, "trainer.accelerator: 'cuda' was asked for"),
        (TrainerSection("gpu", 4), 2, "trainer.devices: 4 were asked for, but this machine has 2"),
    ],
)
def test_what_it_does_not_have_is_told(
    monkeypatch: pytest.MonkeyPatch, section: TrainerSection, gpus: int, sentence: str
) -> None:
    machine_with(monkeypatch, gpus)
    with pytest.raises(SpecError, match=sentence):
        check_devices(section)
