"""Features of reals, and what extractors learned of them, kept between runs by all that they depend on."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ganlab.errors import reason
from ganlab.evaluation.feature_set import Features
from ganlab.files import cache_folder, write_atomically

logger = logging.getLogger(__name__)

_FORMAT = 1


class FeatureCache:
    """Files below the cache's folder, named by a hash of their key; each holds its key in plain text beside it.

    What cannot be read is made anew, what cannot be written is not kept, with a warning.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "features"

    def features(self, key: Mapping[str, Any], rows: bool) -> Features | None:
        """What is kept under a key: rows if they are wanted, else perhaps mean and covariance alone."""
        kept = None if rows else self.tensors({**key, "holds": "statistics"})
        if kept is not None:
            return Features.of_statistics(kept["mean"], kept["covariance"], int(kept["count"]))
        kept = self.tensors({**key, "holds": "rows"})
        return None if kept is None else Features(kept["rows"], kept.get("labels"))

    def keep_features(self, key: Mapping[str, Any], features: Features, rows: bool) -> None:
        """Keep the rows, or mean and covariance alone."""
        if rows:
            labels = {} if features.labels is None else {"labels": features.labels}
            self.keep({**key, "holds": "rows"}, {"rows": features.rows, **labels})
            return
        moments = {"mean": features.mean, "covariance": features.covariance, "count": torch.tensor(features.count)}
        self.keep({**key, "holds": "statistics"}, moments)

    def tensors(self, key: Mapping[str, Any]) -> dict[str, Tensor] | None:
        """The tensors under a key; None if there are none that can be read."""
        path = self._path(key)
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            logger.warning("ganlab: warning: %s cannot be read and is made anew: %s", path, reason(error))
            return None

    def keep(self, key: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Write tensors under a key, whole or not at all."""
        path, text = self._path(key), _text(key)
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        try:
            write_atomically(path, lambda temporary: save_file(whole, temporary, metadata={"key": text}))
        except OSError as error:
            logger.warning("ganlab: warning: %s cannot be written and is not kept: %s", path, reason(error))

    def _path(self, key: Mapping[str, Any]) -> Path:
        return self.folder / f"{hashlib.sha256(_text(key).encode()).hexdigest()[:32]}.safetensors"


def _text(key: Mapping[str, Any]) -> str:
    return json.dumps({**key, "format": _FORMAT}, sort_keys=True)
