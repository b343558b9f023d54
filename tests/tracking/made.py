"""A spec for trackers, made by hand: no plugin is needed for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ganlab.spec.model import DataNode, Node, OptimizerNode, Spec, TrackingSection


def made_spec(**changes: Any) -> Spec:
    """A small experiment that is never trained."""
    spec = Spec(
        name="experiment",
        kimg=1.0,
        seed=7,
        data=DataNode("datasets", "digits", {"resolution": 16}),
        architecture=Node("architectures", "toy", {"loss": Node("losses", "hinge")}),
        optimizers={"generator": OptimizerNode("optimizers", "adam", distribution="ganlab")},
    )
    tracking = {name: changes.pop(name) for name in ("wandb", "trackio", "tensorboard") if name in changes}
    return replace(spec, tracking=TrackingSection(**tracking), **changes)
