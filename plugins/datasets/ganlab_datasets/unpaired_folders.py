"""Pictures of two or more kinds, each in a folder, which do not belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ganlab.bounds import Side
from ganlab.contracts import DataFacts, Dataset
from ganlab.errors import DataError, DataMissing
from ganlab.facts import MISSING
from ganlab.pictures import SUFFIXES
from ganlab_datasets.image_files import MAX_PIXELS, ImageFiles, MaxPixels, Shade, Wanted, implied_facts
from ganlab_datasets.sources import open_source

_LEAST = 2


class UnpairedFolders(ImageFiles):
    """Pictures of the first of the `domains`; the others are further domains of the data, by their names.

    `domains` names a folder or a zip for each, as in {zebras: trainB, horses: trainA}; each has examples of its own,
    which may be more or fewer than another's. `held_out` names the same domains, with pictures that training never
    sees. `channels` is one number for all, or one for each domain by its name; `resolution`, `crop`, `background`,
    `value_range`, `max_pixels` and `follow_links` are those of `image_folder`, for all domains.
    """

    def __init__(
        self,
        domains: Mapping[str, str],
        held_out: Mapping[str, str] | None = None,
        resolution: Side | tuple[Side, Side] | None = None,
        channels: Literal[1, 2, 3, 4] | Mapping[str, Literal[1, 2, 3, 4]] | None = None,
        crop: bool = True,
        background: Literal["white", "black"] | tuple[Shade, Shade, Shade] | None = None,
        value_range: tuple[float, float] | None = None,
        max_pixels: MaxPixels = MAX_PIXELS,
        follow_links: bool = False,
    ) -> None:
        _check_names(domains, held_out, channels)
        wanted = {
            name: Wanted(resolution, _channels_of(name, channels), crop, None, background, value_range, max_pixels)
            for name in domains
        }
        first, *others = domains
        try:
            super().__init__(open_source(domains[first], SUFFIXES, follow_links), wanted[first])
            self.further: Mapping[str, Dataset] = {
                name: ImageFiles(open_source(domains[name], SUFFIXES, follow_links), wanted[name]) for name in others
            }
            self.held_out: Dataset | None = None
            if held_out is not None:
                kept = {name: held_out[name] for name in domains}
                self.held_out = UnpairedFolders(
                    kept, None, resolution, channels, crop, background, value_range, max_pixels, follow_links
                )
        except DataMissing as missing:
            raise DataMissing(str(missing), _implied(first, wanted, held_out is not None)) from None
        self.facts = replace(self.facts, extras={"domain": first})


def _channels_of(name: str, channels: int | Mapping[str, int] | None) -> int | None:
    return channels[name] if isinstance(channels, Mapping) else channels


def _check_names(
    domains: Mapping[str, str], held_out: Mapping[str, str] | None, channels: int | Mapping[str, int] | None
) -> None:
    if len(domains) < _LEAST:
        raise DataError(f"'domains' names {len(domains)} folders; there are two at least: {{name: folder, ...}}")
    if "images" in domains:
        raise DataError("no domain can be called 'images', which is the name of another field of an example")
    for option, named in (("held_out", held_out), ("channels", channels)):
        if isinstance(named, Mapping) and set(named) != set(domains):
            raise DataError(
                f"'{option}' names {', '.join(named) or 'nothing'}, and the domains are {', '.join(domains)}: both "
                "must agree"
            )
    if isinstance(channels, Mapping) and (wrong := [n for n in channels.values() if n not in (1, 2, 3, 4)]):
        raise DataError(f"'channels' of a domain are 1, 2, 3 or 4, not {wrong[0]}")


def _implied(first: str, wanted: Mapping[str, Wanted], holds_out: bool) -> DataFacts | None:
    """The facts of pictures that are not there, by the options; None if unclear."""
    found = {name: implied_facts(each.resolution, each.channels, [], each.value_range) for name, each in wanted.items()}
    known = {name: facts for name, facts in found.items() if facts is not None}
    if len(known) < len(found):
        return None
    further = {name: facts for name, facts in known.items() if name != first}
    kept = MISSING if holds_out else None
    return replace(known[first], extras={"domain": first}, further=further, held_out=kept)
