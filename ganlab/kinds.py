"""The kinds of plugins, one record each: whatever the platform knows of a kind stands here and nowhere else.

A reference is written `module:attribute` and loaded when it is needed, so that finding plugins and checking names
imports nothing heavy. A new kind is one more entry of `KINDS` (and a template): from then on it is found, checked
when loaded, nested in specs, listed, documented, and tried by the conformance kit (`tests/test_kinds.py` adds one).
Wrappers of a game's fakes, for example, will be
`Kind("latents", contract="ganlab.contracts:<their protocol>", protocols=(...), slot="latents", checks=(...))`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """One kind of plugin.

    Args:
        name: as specs, commands and the entry-point group `ganlab.<name>` write it.
        contract: the class that annotates a constructor's argument which is a nested node of this kind.
        protocols: what a plugin's class keeps; of several, those of which it has the first method, or the first.
        base: the class that a plugin's class is derived from, instead of keeping protocols.
        overrides: methods of which a plugin's class defines one itself and does not only inherit it from `base`.
        bound: leading arguments that the platform passes when the object is made, after the spec's options.
        offered: arguments that the platform passes to a method if the method has them, by method.
        slot: the option that holds a plugin of this kind in every constructor, if there is such a name.
        node: the type of its nodes, with the platform's keys.
        section_node: the type of the node that the platform's own section of this kind holds, if it is another one.
        combined: the node, and its option, that a list of nodes stands for where one node is expected.
        takes_facts: whether the data's facts are injected into its constructors.
        every_number_scheduled: whether each number among its options may follow a schedule.
        checks: what the conformance kit tries.
        template: what `ganlab plugin new` writes, as package:path; the package's file of the kind's name if left out.
    """

    name: str
    contract: str | None = None
    protocols: tuple[str, ...] = ()
    base: str | None = None
    overrides: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()
    offered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    slot: str | None = None
    node: str = "ganlab.spec.model:Node"
    section_node: str | None = None
    combined: tuple[str, str] | None = None
    takes_facts: bool = True
    every_number_scheduled: bool = False
    checks: tuple[str, ...] = ()
    template: str = ""

    @property
    def node_type(self) -> Any:
        """The class of its nodes within the options of other plugins."""
        return referred(self.node)

    @property
    def section_node_type(self) -> Any:
        """The class of its nodes in the platform's own sections."""
        return referred(self.section_node or self.node)


def _kinds(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


_CHECKS = "ganlab.testing"

KINDS: dict[str, Kind] = _kinds(
    Kind(
        "architectures",
        base="ganlab:GANModule",
        overrides=("render", "sample"),
        checks=(
            f"{_CHECKS}.architecture_checks:check_samples",
            f"{_CHECKS}.architecture_checks:check_sampled_rows",
            f"{_CHECKS}.architecture_checks:check_generator_alone",
            f"{_CHECKS}.architecture_checks:check_points",
            f"{_CHECKS}.term_checks:check_terms",
            f"{_CHECKS}.term_checks:check_penalties",
            f"{_CHECKS}.term_checks:check_draws",
            f"{_CHECKS}.architecture_checks:check_micro_batches",
            f"{_CHECKS}.architecture_checks:check_players_learn_alone",
            f"{_CHECKS}.architecture_checks:check_twenty_steps",
            f"{_CHECKS}.architecture_checks:check_autocast",
            f"{_CHECKS}.architecture_checks:check_seeds",
            f"{_CHECKS}.architecture_checks:check_resume",
            f"{_CHECKS}.architecture_checks:check_two_processes",
        ),
    ),
    Kind(
        "generators",
        contract="ganlab.contracts:Generator",
        base="torch.nn:Module",
        slot="generator",
        checks=(
            f"{_CHECKS}.network_checks:check_generator",
            f"{_CHECKS}.network_checks:check_generator_rows",
            f"{_CHECKS}.conditioning_checks:check_label_input",
        ),
    ),
    Kind(
        "discriminators",
        contract="ganlab.contracts:Discriminator",
        base="torch.nn:Module",
        slot="discriminator",
        checks=(
            f"{_CHECKS}.network_checks:check_discriminator",
            f"{_CHECKS}.conditioning_checks:check_conditioning",
        ),
    ),
    Kind(
        "losses",
        contract="ganlab.contracts:Loss",
        protocols=("ganlab.contracts:Loss",),
        slot="loss",
        checks=(f"{_CHECKS}.leaf_checks:check_loss", f"{_CHECKS}.option_checks:check_loss_schedules"),
    ),
    Kind(
        "regularizers",
        contract="ganlab.contracts:WeightedRegularizer",
        protocols=("ganlab.contracts:Regularizer", "ganlab.contracts:Constraint"),
        slot="regularizers",
        node="ganlab.spec.model:RegularizerNode",
        checks=(
            f"{_CHECKS}.regularizer_checks:check_penalty",
            f"{_CHECKS}.regularizer_checks:check_penalty_draws",
            f"{_CHECKS}.regularizer_checks:check_own_labels",
            f"{_CHECKS}.regularizer_checks:check_after_update",
            f"{_CHECKS}.regularizer_checks:check_memory",
            f"{_CHECKS}.option_checks:check_regularizer_schedules",
        ),
    ),
    Kind(
        "normalizers",
        contract="ganlab.contracts:Normalizer",
        protocols=("ganlab.contracts:Normalizer",),
        slot="normalizer",
        combined=("ganlab/combined", "parts"),
        checks=(
            f"{_CHECKS}.leaf_checks:check_normalizer_weight",
            f"{_CHECKS}.leaf_checks:check_normalizer_activation",
            f"{_CHECKS}.leaf_checks:check_normalizer_maps",
        ),
    ),
    Kind(
        "augmentations",
        contract="ganlab.contracts:Augmentation",
        protocols=("ganlab.contracts:Augmentation",),
        slot="augmentation",
        checks=(f"{_CHECKS}.leaf_checks:check_augmentation",),
    ),
    Kind(
        "latents",
        contract="ganlab.contracts:LatentWrapper",
        protocols=("ganlab.contracts:LatentWrapper",),
        slot="wrappers",
        checks=(f"{_CHECKS}.latent_checks:check_latent_wrapper",),
    ),
    Kind(
        "datasets",
        contract="ganlab.contracts:Dataset",
        protocols=("ganlab.contracts:Dataset",),
        section_node="ganlab.spec.model:DataNode",
        takes_facts=False,
        checks=(f"{_CHECKS}.dataset_checks:check_dataset",),
    ),
    Kind(
        "metrics",
        contract="ganlab.metric_contracts:Metric",
        protocols=("ganlab.contracts:Metric", "ganlab.contracts:GeneratorMetric", "ganlab.contracts:FeatureMetric"),
        section_node="ganlab.spec.model:MetricNode",
        offered={
            "update": frozenset({"labels", "targets", "inputs"}),
            "compare": frozenset({"training", "held_out"}),
        },
        checks=(f"{_CHECKS}.metric_checks:check_metric",),
    ),
    Kind(
        "extractors",
        contract="ganlab.metric_contracts:Extractor",
        protocols=("ganlab.contracts:Extractor",),
        checks=(f"{_CHECKS}.extractor_checks:check_extractor",),
    ),
    Kind(
        "optimizers",
        bound=("params",),
        node="ganlab.spec.model:OptimizerNode",
        takes_facts=False,
        every_number_scheduled=True,
        checks=(f"{_CHECKS}.leaf_checks:check_optimizer",),
    ),
    Kind(
        "formats",
        protocols=("ganlab.foreign:Format",),
        takes_facts=False,
        checks=(f"{_CHECKS}.format_checks:check_format",),
    ),
    Kind(
        "recipes",
        bound=("task",),
        takes_facts=False,
        checks=(f"{_CHECKS}.recipe_checks:check_recipe",),
    ),
)
"""Every kind of plugin by its name; a new kind is one more entry."""


def referred(reference: str) -> Any:
    """What `module:attribute` means, imported now."""
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def kind_of_contract(contract: type) -> str | None:
    """The kind whose nested nodes are annotated with a class, or with a class derived from it; None if there is none.

    Classes are compared by name, so that nothing is imported that the annotation has not imported already.
    """
    kinds = {kind.contract: kind.name for kind in KINDS.values() if kind.contract}
    bases = (f"{base.__module__}:{base.__qualname__}" for base in contract.__mro__)
    return next((kinds[base] for base in bases if base in kinds), None)


def kind_of_slot(option: object) -> str | None:
    """The kind of the plugins that an option of this name holds in every constructor; None if any value may stand."""
    return next((kind.name for kind in KINDS.values() if kind.slot == option), None)
