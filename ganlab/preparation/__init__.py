"""Pictures of any origin (folders, zips, tars, videos) made alike, in a zip or folder that a training reads quickly."""

from __future__ import annotations

from ganlab.preparation.preparing import prepare_pictures
from ganlab.preparation.request import Request
from ganlab.preparation.summary import Summary

__all__ = ["Request", "Summary", "prepare_pictures"]
