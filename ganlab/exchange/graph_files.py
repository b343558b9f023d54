"""Graphs of generators as files: ONNX and TorchScript, each held against the live generator before it is kept."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab.errors import UserError, reason
from ganlab.exchange.graph import GeneratorGraph
from ganlab.files import write_atomically

TOLERANCE = 1e-3
"""The largest difference of a pixel that is rounding, for images in [-1, 1]; a step of 8 bits is 0.008."""

_NEWTON_STEPS = 30  # towards quantiles of the normal distribution; those of 6 deviations need 22
_EXTRA = "pip install ganlab[export]"


@dataclass(frozen=True)
class Parity:
    """How far the images of a file are from those of the live generator.

    Args:
        difference: the largest difference of any pixel, for images in [-1, 1].
        deviation: the standard deviation of the live generator's pixels, to compare it with.
    """

    difference: float
    deviation: float

    @property
    def holds(self) -> bool:
        """Whether the difference is rounding."""
        return self.difference <= TOLERANCE * max(1.0, self.deviation)


def write_onnx(graph: GeneratorGraph, path: Path) -> Parity:
    """Write the graph in ONNX, and run it with onnxruntime on other latents than it was made with.

    Raises `UserError` where a package is missing, where ONNX lacks an operation, and for images that differ.
    """
    need("onnx", "onnxscript", "onnxruntime", purpose="ONNX")
    program = graph.exported().run_decompositions(_WITHOUT_FORM)
    try:
        with warnings.catch_warnings(action="ignore"):
            written = torch.onnx.export(
                program, dynamo=True, verbose=False, input_names=graph.names, output_names=["images"]
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise UserError(
            f"the networks of '{graph.generator.name}' have no form in ONNX: {reason(error.__cause__ or error)}"
        ) from error
    assert written is not None
    written.model.metadata_props.update({"ganlab": json.dumps(described(graph))})
    return _kept(graph, path, written.save, _run_onnx)


def write_torchscript(graph: GeneratorGraph, path: Path) -> Parity:
    """Write the graph as TorchScript, which `torch.jit.load` reads without ganlab. Raises `UserError` as `write_onnx`.

    It is recorded on the CPU, for which `torch.jit.load(path, map_location=...)` names another device.
    """
    with warnings.catch_warnings(action="ignore"), graph.resting():
        try:
            recorded = torch.jit.trace(graph, graph.examples(), check_trace=False)  # type: ignore[no-untyped-call]
        except Exception as error:  # recording foreign code fails in any way
            raise UserError(f"the networks of '{graph.generator.name}' cannot be recorded: {reason(error)}") from error

    def save(temporary: Path) -> None:
        files = {"ganlab": json.dumps(described(graph))}
        with warnings.catch_warnings(action="ignore"):
            torch.jit.save(recorded, temporary, _extra_files=files)  # type: ignore[no-untyped-call]

    return _kept(graph, path, save, _run_torchscript)


def need(*packages: str, purpose: str) -> None:
    """Raise `UserError` with what to install if a package is missing."""
    if missing := [name for name in packages if find_spec(name) is None]:
        raise UserError(f"{purpose} needs the package{'s' * (len(missing) > 1)} {', '.join(missing)}: {_EXTRA}")


def described(graph: GeneratorGraph) -> dict[str, Any]:
    """What a file tells of its graph, in plain values."""
    facts = graph.module.facts
    return {
        "name": graph.generator.name,
        "inputs": graph.names,
        "shape": list(facts.shape),
        "classes": list(facts.class_names),
        "options": {name: str(value) for name, value in graph.options.items()},
        "defaults": graph.numbers,
        "noise_seed": graph.noise_seed,
    }


def normal_share(values: Tensor) -> Tensor:
    """The share of the standard normal distribution that lies below each value.

    In float32 whatever the type: programs that run ONNX lack the error function of others.
    """
    return (0.5 * (1 + torch.erf(values.float() * math.sqrt(0.5)))).to(values.dtype)


def normal_quantile(share: Tensor) -> Tensor:
    """The number below which a share of the standard normal distribution lies, by Newton's method from 0.

    ONNX has no such operation. Each step towards the quantile, on either side of the mean, stops short of it.
    """
    found = torch.zeros_like(share)
    for _ in range(_NEWTON_STEPS):
        beyond = normal_share(found) - share
        found = found - beyond * torch.exp(0.5 * found * found) * math.sqrt(2 * math.pi)
    return found


_WITHOUT_FORM = {
    torch.ops.aten.special_ndtr.default: normal_share,
    torch.ops.aten.special_ndtri.default: normal_quantile,
}
"""What torch can do and ONNX cannot, made of what it can."""


def _kept(
    graph: GeneratorGraph,
    path: Path,
    save: Callable[[Path], object],
    run: Callable[[GeneratorGraph, Path, tuple[Tensor, ...]], Tensor],
) -> Parity:
    """Write a file, run it, and keep it if its images are those of the live generator."""
    parity: list[Parity] = []

    def write(temporary: Path) -> None:
        save(temporary)
        tensors, images = graph.expected()
        made = run(graph, temporary, tensors)
        parity.append(Parity(float((made - images).abs().max()), float(images.std())))
        if not parity[0].holds:
            raise UserError(
                f"the exported images differ from the generator's by up to {parity[0].difference:.2g}, which is more "
                f"than rounding; the file was not kept"
            )

    write_atomically(path, write)
    return parity[0]


def _run_onnx(graph: GeneratorGraph, path: Path, tensors: tuple[Tensor, ...]) -> Tensor:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = dict(zip(graph.names, (tensor.numpy() for tensor in tensors), strict=True))
    return torch.from_numpy(session.run(["images"], given)[0])


def _run_torchscript(graph: GeneratorGraph, path: Path, tensors: tuple[Tensor, ...]) -> Tensor:
    with warnings.catch_warnings(action="ignore"), torch.no_grad():
        images: Tensor = torch.jit.load(path)(*tensors)  # type: ignore[no-untyped-call]
    return images
