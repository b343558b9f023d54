"""Which recipe suits what, as the tables say, and that every draft is a spec."""

import pytest
from ganlab_recipes import rules
from ganlab_recipes.plain import plain
from ganlab_recipes.residual import residual
from ganlab_recipes.rules import Row, choose
from ganlab_recipes.spectral import spectral
from ganlab_recipes.styles import styles

from ganlab.recipes import Machine, Task
from ganlab.recipes.proposal import best_draft

LAPTOP, LABORATORY = Machine(cores=4), Machine("a GPU", 1, memory_gib=24.0, fast_bf16=True)


def task(side=64, size=2000, machine=LAPTOP, hours=1.0, classes=0):
    return Task((3, side, side), size, classes, machine, hours)


@pytest.mark.parametrize("name", [name for name in vars(rules) if name.isupper() and name != "UNSUITED"])
def test_every_table_ends_with_a_row_for_everything_and_no_row_is_hidden(name):
    table = getattr(rules, name)
    everything = Row(None, "")
    assert all(getattr(table[-1], field) == getattr(everything, field) for field in LIMITS)
    for index, row in enumerate(table):
        assert row.because.endswith(".")
        assert not any(covers(earlier, row) for earlier in table[:index]), f"row {index} is never reached"


LIMITS = ("accelerated", "most_hours", "most_side", "most_pictures")


def covers(row, other):
    wide = row.accelerated is None or row.accelerated == other.accelerated
    return wide and all(getattr(row, name) >= getattr(other, name) for name in LIMITS[1:])


def test_the_first_row_that_fits_counts():
    table = (Row("short", ".", most_hours=1), Row("small", ".", most_side=32), Row("any", "."))
    assert choose(table, task(side=64, hours=1)).value == "short"
    assert choose(table, task(side=32, hours=2)).value == "small"
    assert choose(table, task(side=64, hours=2)).value == "any"


def test_an_accelerator_gets_styles_and_so_does_a_cpu_with_days_of_time():
    assert best_draft(task(machine=LABORATORY, side=128, hours=8))[0] == "styles"
    assert best_draft(task(hours=1.0))[0] == "plain"
    assert best_draft(task(hours=48.0))[0] == "styles"


def test_augmentation_follows_the_number_of_pictures():
    games = [plain(task(size=size)).sections["architecture"] for size in (500, 50_000, 500_000)]
    assert [game.get("augmentation") for game in games] == [{"name": "ada", "speed_kimg": 100}, {"name": "ada"}, None]
    assert spectral(task(size=500_000)).sections["architecture"]["augmentation"] == "diffaugment"


def test_reasons_are_about_what_is_there():
    for recipe in (plain, styles, residual):
        draft = recipe(task(size=500_000))
        assert "architecture.augmentation" not in draft.reasons


def test_half_precision_where_the_machine_is_fast_at_it_and_the_networks_are_wide():
    fast = Machine(cores=2, fast_bf16=True)
    precisions = [
        styles(task(machine=machine, hours=hours)).sections["trainer"]["precision"]
        for machine, hours in ((LABORATORY, 1.0), (fast, 1.0), (LAPTOP, 10.0), (fast, 10.0))
    ]
    assert precisions == ["bf16-mixed", "32-true", "32-true", "bf16-mixed"]


def test_what_does_not_fit_is_not_drafted():
    assert plain(task(side=512)) is None
    assert residual(Task((3, 50, 64), 2000, 0, LAPTOP, 1.0)) is None
    assert styles(task(side=512)) is not None
