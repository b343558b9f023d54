"""The figures of docs/classics.md: InfoGAN's codes, the latents of BiGAN and ALI, and AC-GAN's classes, on digits.

Usage: `python benchmarks/classics.py [--seeds 0 1 2] [--only infogan bigan ali acgan] [--runs runs/classics]`. Trains
what is not in `--runs` yet, and prints a table of means over the seeds and of each seed. An auto-encoder with the
encoder and the generator of the spec stands beside BiGAN and ALI: it learns to reconstruct, from as many images, in
batches of the same size and with the same optimizer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from ganlab_bigan.representation import accuracies
from torch import Tensor
from torch.nn.functional import mse_loss

from ganlab.build import build_architecture, open_dataset
from ganlab.data.scaling import scale
from ganlab.evaluation.reals import real_blocks
from ganlab.randomness import derive_seed
from ganlab.run.session import train
from ganlab.spec import Spec, read_spec

ROOT = Path(__file__).parents[1]
SPECS = {
    "infogan": "experiments/infogan/digits.yaml",
    "bigan": "experiments/bigan/digits.yaml",
    "ali": "experiments/bigan/digits-ali.yaml",
    "acgan": "experiments/acgan/digits.yaml",
}
SHOWN = {
    "infogan": ("code_accuracy", "code_accuracy/purity", "swd/average"),
    "bigan": ("representation/nearest_neighbour", "representation/linear", "swd/average"),
    "ali": ("representation/nearest_neighbour", "representation/linear", "swd/average"),
    "acgan": ("classifier/accuracy", "classifier/real_accuracy", "class_similarity", "class_similarity/reals",
              "class_similarity/diverse", "resized_accuracy", "resized_accuracy/at/8", "resized_accuracy/at/4",
              "resized_accuracy/reals", "resized_accuracy/reals/8", "resized_accuracy/reals/4", "swd/average"),
}  # fmt: skip
PIXELS = ("representation/pixels/nearest_neighbour", "representation/pixels/linear")
ACGAN_METRICS = "evaluation.metrics=[classifier,class_similarity,resized_accuracy,swd]"


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=list(SPECS), default=list(SPECS))
    parser.add_argument("--runs", type=Path, default=ROOT / "runs/classics")
    arguments = parser.parse_args()
    print("| what | mean | " + " | ".join(f"seed {seed}" for seed in arguments.seeds) + " |")
    print("|---" * (len(arguments.seeds) + 2) + "|")
    for family in arguments.only:
        specs = [_spec(family, seed) for seed in arguments.seeds]
        found = [measured(spec, arguments.runs) for spec in specs]
        for name in (*SHOWN[family], *(PIXELS if family == "bigan" else ())):
            _print(f"{family}: {name}", [values[name] for values in found])
        if family in ("bigan", "ali"):
            coded = [autoencoder(spec, arguments.runs) for spec in specs]
            for name in coded[0]:
                _print(f"auto-encoder of {family}: {name}", [values[name] for values in coded])


def measured(spec: Spec, runs: Path) -> Mapping[str, float]:
    """The last evaluation of a spec's run, which is trained if there is none."""
    folder = runs / f"seed-{spec.seed}"
    done = list(_last_evaluations(folder / spec.name, spec.kimg))
    if not done:
        began = time.process_time()
        train(spec, folder)
        print(f"{spec.name}, seed {spec.seed}: {time.process_time() - began:.0f} s of CPU time", flush=True)
        done = list(_last_evaluations(folder / spec.name, spec.kimg))
    return done[-1]


def autoencoder(spec: Spec, runs: Path) -> Mapping[str, float]:
    """What the latents of an auto-encoder know, which has the networks of a spec and is trained as long."""
    kept = runs / f"seed-{spec.seed}" / f"{spec.name}-autoencoder.json"
    if not kept.exists():
        kept.write_text(json.dumps(_train_autoencoder(spec)))
    found: Mapping[str, float] = json.loads(kept.read_text())
    return found


def _train_autoencoder(spec: Spec) -> Mapping[str, float]:
    dataset = open_dataset(spec.data)
    blocks = list(real_blocks(dataset, len(dataset), 0, len(dataset)))
    images, labels = scale(torch.cat([shown for shown, _ in blocks]), (0.0, 255.0)), [known for _, known in blocks]
    module, _ = build_architecture(spec, dataset.facts)
    encoder, generator = module.encoder, module.generator
    options = spec.optimizers["generator"].options
    parameters = [*encoder.parameters(), *generator.parameters()]
    optimizer = torch.optim.Adam(
        parameters, options["lr"], tuple(options["betas"]), weight_decay=options.get("weight_decay", 0.0)
    )
    random = torch.Generator().manual_seed(derive_seed(spec.seed, "auto-encoder"))
    size, loss = spec.data.batch_size, torch.zeros(())
    for _ in range(round(spec.kimg * 1000 / size)):
        batch = images[torch.randint(len(images), (size,), generator=random)]
        loss = mse_loss(generator(_mean(encoder, batch)), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        latents = _mean(encoder.eval(), images)
    known = torch.cat([part for part in labels if part is not None])
    return {**accuracies(latents.double().numpy(), known.numpy()), "squared error": float(loss)}


def _mean(encoder: Any, images: Tensor) -> Tensor:
    answer: Tensor = encoder(images)
    return answer[:, : encoder.latent_size]


def _spec(family: str, seed: int) -> Spec:
    further = [ACGAN_METRICS] if family == "acgan" else []
    return read_spec(ROOT / SPECS[family], [f"seed={seed}", "tracking.wandb=null", "tracking.progress=false", *further])


def _last_evaluations(folder: Path, kimg: float) -> Iterator[Mapping[str, float]]:
    """Of each run that has come to its end, all numbers of its last evaluation."""
    for path in sorted(folder.glob("*/metrics.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        values: dict[str, float] = {}
        for line in lines:
            if line["kimg"] >= kimg:
                values |= {name: value for name, value in line.items() if isinstance(value, int | float)}
        if values:
            yield values


def _print(what: str, values: list[float]) -> None:
    numbers = [statistics.mean(values), *values]
    print(f"| {what} | " + " | ".join(f"{value:.4g}" for value in numbers) + " |", flush=True)


if __name__ == "__main__":
    main()
