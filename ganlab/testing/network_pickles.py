"""Pickles of networks as NVIDIA's programs write them, for tests of formats: structure alone, without source text."""

from __future__ import annotations

import pickle
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from torch import Tensor, nn


class _Reconstructed:
    """Stands for an object that a pickle would make by the name `torch_utils.persistence`."""

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self.meta = meta

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (dict(self.meta),)


def network(
    class_name: str,
    parameters: Mapping[str, Tensor] | None = None,
    buffers: Mapping[str, Tensor] | None = None,
    modules: Mapping[str, Any] | None = None,
    **attributes: Any,
) -> Any:
    """A network or a part of one, as it stands in such a pickle."""
    state = {
        "training": False,
        "_parameters": OrderedDict((name, nn.Parameter(value)) for name, value in (parameters or {}).items()),
        "_buffers": OrderedDict(buffers or {}),
        "_modules": OrderedDict(modules or {}),
        **attributes,
    }
    meta = {"type": "class", "version": 6, "module_src": "", "class_name": class_name, "state": state}
    return _Reconstructed(meta)


def write_network_pickle(path: Path, content: Any) -> Path:
    """Write content with networks in it; returns the path."""

    def _reconstruct_persistent_obj(meta: Any) -> Any:
        raise AssertionError("nothing in a checkpoint is run")

    package, module = ModuleType("torch_utils"), ModuleType("torch_utils.persistence")
    for name, value in (("__module__", "torch_utils.persistence"), ("__qualname__", "_reconstruct_persistent_obj")):
        setattr(_reconstruct_persistent_obj, name, value)
    module._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]
    with patch.dict(sys.modules, {"torch_utils": package, "torch_utils.persistence": module}):
        path.write_bytes(pickle.dumps(content))
    return path
