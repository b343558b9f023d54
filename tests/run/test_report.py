"""What `ganlab train` says when a run is over."""

from ganlab.cli.train import _report
from ganlab.run.folder import Run
from ganlab.run.session import Outcome


def test_the_last_grid_is_named_by_its_moment(tmp_path, capsys) -> None:
    """By name alone, `kimg-000000.png` comes after `kimg-000000.600.png`."""
    run = Run(tmp_path)
    run.samples.mkdir()
    for name in ("reals", "kimg-000000", "kimg-000000.600"):
        (run.samples / f"{name}.png").touch()
    _report(Outcome(run, {"swd/average": 2.0}, None))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"samples: {run.samples / 'kimg-000000.600.png'}", "metrics: swd/average 2", str(tmp_path)]
