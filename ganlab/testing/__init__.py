"""The conformance kit: what every plugin of a kind must do, for the tests of its author.

    from ganlab.testing import check_plugin

    def test_my_loss():
        check_plugin("losses", "my_loss")

Classes whose constructor needs options, and all architectures, carry `example`: the options, written as in a spec,
of their smallest sensible instance.
"""

from __future__ import annotations

from ganlab.testing.examples import EXAMPLE_FACTS, ExampleData, build_example
from ganlab.testing.experiments import Experiment, build_experiment, parameter_count
from ganlab.testing.kit import CHECKS, Check, check_plugin, checks_for

__all__ = [
    "CHECKS",
    "EXAMPLE_FACTS",
    "Check",
    "ExampleData",
    "Experiment",
    "build_example",
    "build_experiment",
    "check_plugin",
    "checks_for",
    "parameter_count",
]
