"""From a sweep's folder to its study, made where it is new and held against the file where it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from optuna.study import StudyDirection

from ganlab.errors import UserError
from ganlab.sweeps.file import SweepFile
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.search import Search
from ganlab.sweeps.storage import Place, open_place, shown, trouble
from ganlab.sweeps.study import SweepStudy

LEASE_SECONDS = 180.0
_MAY_CHANGE = ("run_cap", "description", "name", "project", "entity")


def begin_study(
    folder: SweepFolder, sweep: SweepFile, record: Mapping[str, Any], storage: str | None, lease_seconds: float
) -> SweepStudy:
    """The study of a new sweep, or of one that goes on, and its folder with the file and `record`.

    Raises `UserError` if the trials so far were made from another file, from other specs, or in another storage.
    """
    if folder.exists and folder.record["storage"] != (storage and shown(storage)):
        before = folder.record["storage"]
        kept = f"in the database {before}: give it by --storage" if before else "in the folder: leave --storage out"
        raise UserError(f"the trials of {folder.path} are {kept}")
    place, search = open_place(folder.path, storage, _study_name(sweep.name)), Search(sweep, record["search_seed"])
    study_id = _make(place, sweep)
    _check_unchanged(place, study_id, sweep, record)
    folder.write(sweep, record)
    return SweepStudy(place, study_id, search, lease_seconds)


def open_study(folder: SweepFolder, storage: str | None = None, lease_seconds: float = LEASE_SECONDS) -> SweepStudy:
    """The study of a sweep that was begun. Raises `UserError` where it cannot be read."""
    place = open_place(folder.path, storage or folder.record["storage"], _study_name(folder.sweep.name))
    try:
        study_id = place.storage.get_study_id_from_name(_study_name(folder.sweep.name))
    except KeyError:
        raise UserError(f"the storage of {folder.path} has no sweep '{folder.sweep.name}'") from None
    except place.troubles as error:
        raise UserError(f"the storage of {folder.path} cannot be read: {trouble(error)}") from None
    return SweepStudy(place, study_id, Search(folder.sweep, folder.record["search_seed"]), lease_seconds)


def _study_name(sweep: str) -> str:
    return f"ganlab/{sweep}"


def _make(place: Place, sweep: SweepFile) -> int:
    from optuna.exceptions import DuplicatedStudyError

    name = _study_name(sweep.name)
    direction = StudyDirection.MINIMIZE if sweep.metric.goal == "minimize" else StudyDirection.MAXIMIZE
    try:
        with place.claiming():
            try:
                return place.storage.get_study_id_from_name(name)
            except KeyError:
                return place.storage.create_new_study([direction], name)
    except DuplicatedStudyError:
        return place.storage.get_study_id_from_name(name)
    except place.troubles as error:
        raise UserError(f"the sweep '{sweep.name}' cannot be begun: {trouble(error)}") from None


def _check_unchanged(place: Place, study_id: int, sweep: SweepFile, record: Mapping[str, Any]) -> None:
    """Hold what decides about the trials against what the study was begun with."""
    definition = {key: value for key, value in sweep.content.items() if key not in _MAY_CHANGE}
    # As JSON, so that both sides are what the storage makes of them.
    now = json.loads(json.dumps({"file": definition, "specs": record["specs"], "search_seed": record["search_seed"]}))
    before = place.storage.get_study_user_attrs(study_id).get("begun")
    if before is None:
        place.storage.set_study_user_attr(study_id, "begun", now)
        return
    changed = [key for key in {**before["file"], **definition} if before["file"].get(key) != now["file"].get(key)]
    changed += [f"the spec {path}" for path, text in now["specs"].items() if before["specs"].get(path) != text]
    changed += ["--search-seed"] if before["search_seed"] != now["search_seed"] else []
    if changed:
        raise UserError(
            f"the sweep '{sweep.name}' was begun with another {', another '.join(changed)}, so that its trials would "
            "not be comparable; change it back, or give the sweep another name"
        )
