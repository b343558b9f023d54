"""Files of other programs, read without running anything that they hold.

Pickles can name any function to be called. Here names stand for a short list of things that make tensors and plain
values, or for inert records; a file with any other name is refused before that name does anything.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import new_class
from typing import Any, BinaryIO

import torch
from safetensors import safe_open
from torch import Tensor

from ganlab.errors import RunError, reason
from ganlab.foreign import Record

_MAGIC = 0x1950A86A20F9469CFC6C  # of torch's files before they were zips
_STORAGES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_TYPES = {name: getattr(torch, name) for name in ("float32", "float64", "float16", "bfloat16", "int64", "uint8")}
_RECORDS = frozenset(
    {
        "argparse.Namespace",
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.dtype",
        "numpy.ndarray",
        "torch.Size",
        "torch.device",
    }
)
"""What checkpoints of networks hold beside weights, and nobody needs."""


def read_foreign(path: Path, records: Sequence[str] = ()) -> Any:
    """The content of a checkpoint: safetensors, any file of `torch.save`, or a plain pickle with networks in it.

    `records` are modules whose objects become `Record`s, as well as those of networks that NVIDIA's programs write.
    Raises `RunError` for a file that is missing, damaged, or names anything else.
    """
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:  # type: ignore[no-untyped-call]
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        with path.open("rb") as opened:
            return _read_zip(opened, records) if zipfile.is_zipfile(opened) else _read_pickles(opened, records)
    except FileNotFoundError:
        raise RunError(f"there is no file '{path}'") from None
    except _Refused as refused:
        raise RunError(
            f"'{path}' is not read: it names {refused}, which is no part of the weights of networks and could run "
            "code; nothing of the file was run"
        ) from None
    except Exception as error:  # what damaged and foreign files make of the readers is without limit
        raise RunError(f"'{path}' cannot be read as a checkpoint: {reason(error)}") from error


class _Refused(Exception):
    """What a file names that nothing stands for."""


class _Unpickler(pickle.Unpickler):
    """Reads pickles in which names stand for what is listed here.

    Args:
        file: at the beginning of a pickle.
        records: modules whose objects become records.
        storage: the flat tensor of a storage that lies outside of the pickle.
    """

    def __init__(self, file: BinaryIO, records: Sequence[str], storage: Callable[[Any], Tensor] | None = None) -> None:
        super().__init__(file)
        self._records = records
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for. Raises `_Refused` for all others."""
        full = f"{module}.{name}"
        if full in _MADE:
            return _MADE[full]
        if full == "torch.storage._load_from_bytes":
            return _Storage(self._records)
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if full in _RECORDS or any(full.startswith(prefix) for prefix in self._records):
            return new_class(name, (Record,), exec_body=lambda inside: inside.update(name=full))
        raise _Refused(full)

    def persistent_load(self, pid: Any) -> Any:
        """The storage that a pickle of torch refers to."""
        if self._storage is None or not isinstance(pid, tuple) or pid[0] != "storage":
            raise pickle.UnpicklingError("it refers to something outside of it")
        return self._storage(pid)


class _Call:
    """A function without attributes, so that a file cannot change it."""

    __slots__ = ()


class _Tensor(_Call):
    """`torch._utils._rebuild_tensor_v2`."""

    __slots__ = ()

    def __call__(self, storage: Tensor, offset: int, size: Sequence[int], stride: Sequence[int], *rest: Any) -> Tensor:
        if not isinstance(storage, Tensor) or math.prod(size) > len(storage):
            raise pickle.UnpicklingError("a tensor is larger than what is stored of it")
        return storage.as_strided(tuple(size), tuple(stride), offset)


class _Parameter(_Call):
    """`torch._utils._rebuild_parameter`: the tensor itself."""

    __slots__ = ()

    def __call__(self, data: Tensor, *rest: Any) -> Tensor:
        return data


class _Network(_Call):
    """`torch_utils.persistence._reconstruct_persistent_obj`, which would run source text that the file brings along."""

    __slots__ = ()

    def __call__(self, meta: Any) -> Record:
        record = Record()
        record.state = {**meta["state"], "class_name": meta["class_name"]}
        return record


class _Storage(_Call):
    """`torch.storage._load_from_bytes`, whose body unpickles."""

    __slots__ = ("records",)

    def __init__(self, records: Sequence[str]) -> None:
        self.records = records

    def __call__(self, content: bytes) -> Any:
        return _read_pickles(io.BytesIO(content), self.records)


_MADE = {
    "collections.OrderedDict": OrderedDict,
    "dnnlib.util.EasyDict": OrderedDict,
    "dnnlib.EasyDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _Tensor(),
    "torch._utils._rebuild_parameter": _Parameter(),
    "torch_utils.persistence._reconstruct_persistent_obj": _Network(),
}


def _read_zip(file: BinaryIO, records: Sequence[str]) -> Any:
    """What torch writes since 1.6: a pickle and the bytes of each storage."""
    size = file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        parts = {part.filename: part for part in archive.infolist()}
        if any(part.compress_type != zipfile.ZIP_STORED or part.file_size > size for part in parts.values()):
            raise pickle.UnpicklingError("it is an archive of another kind")
        main = next((name for name in parts if name.endswith("/data.pkl")), None)
        if main is None:
            raise pickle.UnpicklingError("it is an archive without a pickle")
        folder = main.removesuffix("data.pkl")
        if f"{folder}byteorder" in parts and archive.read(f"{folder}byteorder") != b"little":
            raise pickle.UnpicklingError("its numbers are in another order of bytes")

        def storage(pid: Any) -> Tensor:
            return _flat(archive.read(f"{folder}data/{pid[2]}"), pid[1])

        return _Unpickler(io.BytesIO(archive.read(main)), records, storage).load()


def _read_pickles(file: BinaryIO, records: Sequence[str]) -> Any:
    """A plain pickle, or what torch wrote before 1.6: some pickles, then the numbers of each storage."""
    file.seek(0)
    first = _Unpickler(file, records).load()
    if first != _MAGIC or not isinstance(first, int):
        return first
    _Unpickler(file, records).load()  # the version of the format
    _Unpickler(file, records).load()  # the sizes of numbers
    here = file.tell()
    left = file.seek(0, io.SEEK_END)
    file.seek(here)
    storages: dict[str, Tensor] = {}

    def storage(pid: Any) -> Tensor:
        kind, key, count = pid[1], pid[2], pid[4]
        if key not in storages:
            if not isinstance(kind, torch.dtype) or not 0 <= count <= left:
                raise pickle.UnpicklingError("a storage is larger than the file")
            storages[key] = torch.empty(count, dtype=kind)
        return storages[key]

    content = _Unpickler(file, records, storage).load()
    for key in _Unpickler(file, records).load():
        values, count = storages[key], int.from_bytes(file.read(8), "little")
        if count != len(values):
            raise pickle.UnpicklingError("it was cut off")
        values.copy_(_flat(file.read(count * values.element_size()), values.dtype, count))
    return content


def _flat(content: bytes, kind: Any, count: int | None = None) -> Tensor:
    if not isinstance(kind, torch.dtype):
        raise pickle.UnpicklingError("a storage has no type of numbers")
    values = torch.frombuffer(bytearray(content), dtype=kind) if content else torch.empty(0, dtype=kind)
    if count not in (None, len(values)):
        raise pickle.UnpicklingError("it was cut off")
    return values
