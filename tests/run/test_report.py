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
    spread = {"diversity/overall": 0.9, "diversity/within": 0.7, "diversity/within_reals": 0.8}
    _report(Outcome(run, {"swd/average": 2.0}, None, spread))
    _report(Outcome(run, {}, None, {"diversity/overall": 0.9}))
    samples = f"samples: {run.samples / 'kimg-000000.600.png'}"
    spread_of_classes = "diversity: within classes 0.70 (reals 0.80), overall 0.90 (reals 1)"
    assert capsys.readouterr().out.splitlines() == [
        *(samples, spread_of_classes, "metrics: swd/average 2", str(tmp_path)),
        *(samples, "diversity: overall 0.90 (reals 1)", str(tmp_path)),
    ]
