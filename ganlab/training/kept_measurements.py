"""What was measured of a trained generator for sampling, kept in files beside it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ganlab.files import write_atomically

_LOG = logging.getLogger(__name__)
_SUFFIX = ".safetensors"


class KeptMeasurements:
    """A folder of files of tensors, each named for all that its tensors depend on.

    That are the weights and buffers of a network, what was measured, the kind of device and torch's version. A file
    that is damaged or cannot be written costs a new measurement, and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, network: nn.Module, what: str, measure: Callable[[], Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
        """The tensors that were kept, or else what `measure` returns, which is then kept."""
        path = self.folder / f"{_name(network, what)}{_SUFFIX}"
        device = next((value.device for value in network.state_dict().values()), torch.device("cpu"))
        with suppress(OSError, SafetensorError):
            return load_file(path, device=str(device))
        found = measure()
        tensors = {name: value.detach().contiguous().cpu() for name, value in found.items()}
        try:
            self.folder.mkdir(exist_ok=True)
            write_atomically(path, lambda file: save_file(tensors, file, {"measured": what}))
        except OSError as error:
            _LOG.debug("what was measured of the generator is not kept: %s", error)
        return found


def _name(network: nn.Module, what: str) -> str:
    content = hashlib.sha256()
    for name, value in network.state_dict().items():
        content.update(f"{name} {tuple(value.shape)} {value.dtype} {value.device.type};".encode())
        content.update(value.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy().tobytes())
    content.update(f"{what} torch {torch.__version__}".encode())
    return content.hexdigest()[:32]
