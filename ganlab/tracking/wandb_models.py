"""The newest and the best checkpoint of a run as W&B's artifacts: two versions at most are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

LAST, BEST = "last", "best"

_BESIDE = ("spec.yaml", "provenance.json")
_FILES = {
    LAST: ("checkpoints/last.ckpt", "generator.safetensors"),
    BEST: ("checkpoints/best.ckpt", "checkpoints/best.json"),
}


def log_models(run: Any, folder: Path) -> bool:
    """Log what there is of both, if anything; downloaded, each is a run folder that `ganlab sample` works on.

    Nothing is copied: offline, the files have to stay where they are until `wandb sync`.
    """
    last, best = (folder / _FILES[alias][0] for alias in (LAST, BEST))
    if best.exists() and last.exists() and best.samefile(last):
        _log(run, folder, (LAST, BEST), (*_FILES[LAST], *_FILES[BEST]))
        return True
    found = [alias for alias, path in ((BEST, best), (LAST, last)) if path.exists()]
    for alias in found:
        _log(run, folder, (alias,), _FILES[alias])
    return bool(found)


def remove_old_models(run: Any) -> None:
    """Delete the versions on the server that are neither the newest nor the best any more."""
    import wandb

    api = wandb.Api()
    place = f"{run.entity}/{run.project}/{_collection(run)}"
    for version in api.artifacts("model", place):
        if not {LAST, BEST} & set(version.aliases):
            version.delete(delete_aliases=True)


def _log(run: Any, folder: Path, aliases: tuple[str, ...], names: tuple[str, ...]) -> None:
    import wandb

    artifact = wandb.Artifact(_collection(run), type="model")
    for name in (*names, *_BESIDE):
        if (folder / name).exists():
            artifact.add_file(str(folder / name), name, policy="immutable", skip_cache=True)
    run.log_artifact(artifact, aliases=list(aliases))


def _collection(run: Any) -> str:
    return "model-" + re.sub(r"[^\w.-]", "_", run.id, flags=re.ASCII)[:120]
