"""Distributions made on the fly: metadata and modules in a folder, as an installer would leave them.

The fixture `install` of `conftest.py` writes one and puts it on the path for the length of a test; `toy` installs
`ganlab-toy`, a family with one plugin of each kind named `toy` (see `toy_family.py`), for `TOY_SPEC`. A test that
starts processes passes the folder, which both fixtures return, in PYTHONPATH.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

TOY_SPEC = """\
name: toy
seed: 0
kimg: 0.064
data:
  name: toy
  resolution: 4
  batch_size: 8
  micro_batch: null
architecture:
  name: toy
  generator: {name: toy, latent_size: 4}
  discriminator: {name: toy, normalizer: toy}
  loss: {name: toy, margin: 1.0}
  regularizers:
    - {name: toy, weight: 1.0, every: 4}
  discriminator_steps: 1
optimizers:
  generator: {name: adam, lr: 2.0e-4, betas: [0.0, 0.99]}
  discriminator: {name: adam, lr: 2.0e-4, betas: [0.0, 0.99]}
ema: {half_life_kimg: 10.0, ramp_up: 0.05}
trainer: {accelerator: cpu, devices: 1, num_nodes: 1, precision: 32-true}
checkpoint: {every_kimg: 0.032, keep: 2}
evaluation: {every_kimg: 0.032, metrics: [toy], samples: 16}
snapshots: {every_kimg: 0.032, grid: [2, 2]}
tracking: {wandb: {mode: disabled, project: toys}}
"""

TOY_PLUGINS: Mapping[str, Mapping[str, str]] = {
    "architectures": {"toy": "ganlab_toy:ToyGAN"},
    "generators": {"toy": "ganlab_toy:ToyGenerator"},
    "discriminators": {"toy": "ganlab_toy:ToyDiscriminator"},
    "losses": {"toy": "ganlab_toy:ToyLoss", "toy_preset": "ganlab_toy:toy_preset"},
    "regularizers": {"toy": "ganlab_toy:ToyPenalty", "toy_styled": "ganlab_toy:ToyStyledPenalty"},
    "normalizers": {"toy": "ganlab_toy:ToyNormalizer"},
    "datasets": {"toy": "ganlab_toy:ToyData"},
    "metrics": {"toy": "ganlab_toy:ToyMetric"},
}


def toy_modules() -> dict[str, str]:
    """The source of the toy family, by module."""
    return {"ganlab_toy": (Path(__file__).parent / "toy_family.py").read_text()}


def write_distribution(
    folder: Path,
    name: str,
    plugins: Mapping[str, Mapping[str, str]],
    modules: Mapping[str, str],
    version: str = "1.0",
) -> Path:
    """Write the metadata of a distribution, with its plugins by kind and name, and its modules' sources."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = [
        f"[ganlab.{kind}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items())
        for kind, entries in plugins.items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source)
    return folder
