"""Images in a folder; its folders may be the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from annotated_types import Ge, Le

from ganlab.bounds import Natural, Side
from ganlab.errors import DataError, DataMissing
from ganlab.pictures import SUFFIXES
from ganlab_datasets.image_files import MAX_PIXELS, ImageFiles, MaxPixels, Shade, Wanted, implied_facts
from ganlab_datasets.sources import FolderSource

_NAMED = 10


class ImageFolder(ImageFiles):
    """All images below `path`, in any format that Pillow reads; 8 bits, or 16 bits of grey.

    `resolution` is the side of a square or [height, width]; without it the images keep their size, which must be one
    for all. `channels` is 1, 2 (grey with alpha), 3 or 4; without it all files must agree. With `crop` the middle is
    cut out to the wanted proportions before scaling, without it the whole image is squeezed; `box` [left, top, right,
    bottom] cuts a part in pixels out of every image before.
    `background` (white, black or [red, green, blue] from 0 to 255) is what shows through transparent pixels; without
    it, transparency is dropped where the channels have no place for it, and what it hid shows. `value_range` [low,
    high] of the stored values becomes -1 to 1, as in [0, 4095] for 12 bits in files of 16; without it all that the bits
    hold.
    Files of more than `max_pixels` pixels are refused. Links out of the folder are refused, too, unless `follow_links`
    says that they are meant.
    `labels: folders` takes the folders in `path` as classes, `none` or false ignores them, `auto` takes them if all
    images are in folders. `classes` says how many classes there must be, as a check. With `first_class` these are not
    all folders, but so many from that one on, counted from 0 in the order of their names.
    """

    def __init__(
        self,
        path: str,
        resolution: Side | tuple[Side, Side] | None = None,
        channels: Literal[1, 2, 3, 4] | None = None,
        labels: Literal["auto", "folders", "none", False] = "auto",
        classes: Annotated[int, Ge(1), Le(1_000_000)] | None = None,
        crop: bool = True,
        box: tuple[Natural, Natural, Natural, Natural] | None = None,
        background: Literal["white", "black"] | tuple[Shade, Shade, Shade] | None = None,
        value_range: tuple[float, float] | None = None,
        max_pixels: MaxPixels = MAX_PIXELS,
        follow_links: bool = False,
        first_class: Annotated[int, Ge(0), Le(1_000_000)] | None = None,
    ) -> None:
        how = labels or "none"
        try:
            source = FolderSource(path, SUFFIXES, follow_links)
        except DataMissing as missing:
            facts = implied_facts(resolution, channels, _implied_classes(how, classes), value_range)
            raise DataMissing(str(missing), facts) from None
        if not source.names:
            raise DataError(
                f"no images in '{path}' or the folders below; files count as images by their ending (.png, .jpg, "
                ".webp, .tif, ...)"
            )
        if first_class is not None:
            _keep_classes(source, path, first_class, classes if how != "none" else None)
        class_names = [] if how == "none" else _class_folders(path, source.names, how, classes)
        _check_classes(path, class_names, classes, source.names)
        numbers = {name: number for number, name in enumerate(class_names)}
        indices = [numbers[name.split("/")[0]] for name in source.names] if class_names else None
        wanted = Wanted(resolution, channels, crop, box, background, value_range, max_pixels)
        super().__init__(source, wanted, indices, class_names)


def _implied_classes(labels: str, declared: int | None) -> list[str] | None:
    """Stand-ins for the classes of a folder that is missing; None if nobody says how many there are."""
    if labels == "none":
        return []
    return None if declared is None else [str(number) for number in range(declared)]


def _keep_classes(source: FolderSource, path: str, first: int, count: int | None) -> None:
    """Leave the images of some classes only. Raises `DataError` if there are not so many."""
    if count is None:
        raise DataError("'first_class' is the first of so many folders as 'classes' says: give both, with labels")
    folders = sorted({name.split("/")[0] for name in source.names if "/" in name})
    kept = set(folders[first : first + count])
    if len(kept) < count:
        raise DataError(
            f"'first_class: {first}' and 'classes: {count}' need {first + count} folders of classes in '{path}', which "
            f"has {len(folders)}"
        )
    source.keep(name for name in source.names if name.split("/")[0] in kept)


def _class_folders(path: str, names: Sequence[str], labels: str, declared: int | None) -> list[str]:
    """The folders that are classes; none if all images lie beside each other. Raises `DataError` where unclear."""
    folders = sorted({name.split("/")[0] for name in names if "/" in name})
    loose = [name for name in names if "/" not in name]
    if not folders and labels == "auto":
        return []
    if loose:
        where = f"; the others lie in {_listing(folders)}" if folders else ""
        raise DataError(
            f"{len(loose)} of {len(names)} images lie directly in '{path}' (such as {loose[0]}), in no class's "
            f"folder{where}. Move them into folders, or train without classes: 'labels: none'"
        )
    if len(folders) == 1:
        raise DataError(_one_class(path, len(names), folders[0], declared))
    if labels == "auto" and all(name.count("/") > 1 for name in names):
        raise DataError(
            f"it is unclear what the classes are: the {len(folders)} folders in '{path}' ({_listing(folders)}) hold "
            f"nothing but folders. If the classes lie one level deeper, set 'path: {path}/{folders[0]}'; if these "
            "are the classes, 'labels: folders'; to train without classes, 'labels: none'"
        )
    return folders


def _one_class(path: str, count: int, folder: str, declared: int | None) -> str:
    but = f", but the spec says 'classes: {declared}'" if declared not in (None, 1) else ""
    return (
        f"1 class found in '{path}'{but}: all {count} images lie in its folder '{folder}'. If the images of several "
        f"classes lie one level deeper, set 'path: {path}/{folder}'; to train without classes, 'labels: none'"
    )


def _check_classes(path: str, found: Sequence[str], declared: int | None, names: Sequence[str]) -> None:
    if declared is None or declared == len(found):
        return
    amount = f"{len(found)} class{'' if len(found) == 1 else 'es'} found in '{path}'"
    deeper = len({name.rsplit("/", 1)[0] for name in names})
    hint = f"; {deeper} folders below hold images" if deeper != len(found) else ""
    raise DataError(
        f"{amount} ({_listing(found) or 'no class folders in use'}), but the spec says 'classes: {declared}'{hint}. "
        "Set 'path' to the folder that holds the folders of the classes, or correct 'classes'"
    )


def _listing(folders: Sequence[str]) -> str:
    more = f" and {len(folders) - _NAMED} more" if len(folders) > _NAMED else ""
    return ", ".join(folders[:_NAMED]) + more
