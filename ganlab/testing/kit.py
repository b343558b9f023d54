"""All checks, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ganlab.testing import architecture_checks, leaf_checks, network_checks, regularizer_checks

Check = Callable[[str], None]

CHECKS: Mapping[str, tuple[Check, ...]] = {
    "architectures": (
        architecture_checks.check_samples,
        architecture_checks.check_players_learn_alone,
        architecture_checks.check_twenty_steps,
        architecture_checks.check_autocast,
        architecture_checks.check_seeds,
        architecture_checks.check_resume,
        architecture_checks.check_two_processes,
    ),
    "generators": (network_checks.check_generator,),
    "discriminators": (network_checks.check_discriminator,),
    "losses": (leaf_checks.check_loss,),
    "regularizers": (regularizer_checks.check_penalty, regularizer_checks.check_after_update),
    "normalizers": (leaf_checks.check_normalizer_weight, leaf_checks.check_normalizer_activation),
    "augmentations": (leaf_checks.check_augmentation,),
    "datasets": (leaf_checks.check_dataset,),
    "metrics": (leaf_checks.check_metric,),
    "optimizers": (leaf_checks.check_optimizer,),
}


def checks_for(kind: str) -> tuple[Check, ...]:
    """The checks of a kind; each takes the plugin's name."""
    return CHECKS[kind]


def check_plugin(kind: str, name: str) -> None:
    """Run all checks of a kind on an installed plugin; the first that fails raises `AssertionError`."""
    for check in checks_for(kind):
        check(name)
