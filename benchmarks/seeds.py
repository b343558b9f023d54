"""What the benchmarks of several seeds print: a line for each seed, and mean and deviation over all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence


def tell_seeds(
    system: str,
    seeds: Sequence[int],
    measure: Callable[[int], tuple[Mapping[str, float], float]],
    is_good: Callable[[Mapping[str, float]], bool],
) -> None:
    """Measure a system with each seed, which gives numbers by name and seconds, and hold them against its bounds."""
    found = []
    for seed in seeds:
        numbers, spent = measure(seed)
        found.append(numbers)
        line = ", ".join(f"{name} {value:.4f}" for name, value in numbers.items())
        verdict = "within" if is_good(numbers) else "outside"
        print(f"{system}, seed {seed} ({spent:.0f} s): {line}: {verdict} the bounds", flush=True)
    for name in found[0]:
        values = [numbers[name] for numbers in found]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(f"  {system}: {name} {statistics.mean(values):.4f} +- {spread:.4f}", flush=True)
