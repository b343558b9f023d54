"""A folder for the Hugging Face Hub: the generator, its card, its recipe, and a picture of samples."""

from __future__ import annotations

from pathlib import Path

from ganlab.errors import UserError
from ganlab.evaluation.pictures import sample_picture
from ganlab.evaluation.sample_files import refuse_existing
from ganlab.exchange.graph_files import need
from ganlab.exchange.model_card import card_of, recipe_of
from ganlab.files import write_text_atomically
from ganlab.run.generator_file import OpenedGenerator
from ganlab.training.checkpoint import export_generator

CARD, GENERATOR, GRID, RECIPE = "README.md", "generator.safetensors", "grid.png", "recipe.yaml"
_GRID = (4, 8)


def write_hub_folder(
    opened: OpenedGenerator, folder: Path, *, licence: str | None = None, overwrite: bool = False
) -> list[Path]:
    """Write what `huggingface_hub.upload_folder` takes; returns the files.

    The recipe is left out for a generator without a run, and the picture for one whose samples are made from inputs.
    Raises `UserError` if a file exists and `overwrite` is not given.
    """
    module = opened.module
    pictured = not (module.facts.inputs or module.made_from({}))
    names = [GENERATOR, *([GRID] if pictured else []), *([RECIPE] if opened.run else []), CARD]
    paths = [folder / name for name in names]
    refuse_existing(paths, overwrite)
    export_generator(folder / GENERATOR, module)
    if pictured:
        sample_picture(module, _GRID, seed=0).save(folder / GRID)
    if opened.run is not None:
        write_text_atomically(folder / RECIPE, recipe_of(opened.run))
    write_text_atomically(folder / CARD, card_of(opened, licence, GRID if pictured else None))
    return paths


def upload(folder: Path, repository: str, *, private: bool = False) -> str:
    """Upload a folder that `write_hub_folder` has made; returns the address.

    Raises `UserError` where it is no such folder, a package is missing or there is no token.
    """
    if missing := [name for name in (CARD, GENERATOR) if not (folder / name).is_file()]:
        raise UserError(f"'{folder}' has no {missing[0]}: name what 'ganlab export RUN --to hub-folder' has written")
    if repository.count("/") != 1 or not all(repository.split("/")):
        raise UserError(f"a repository of the Hub is named owner/name, not '{repository}'")
    need("huggingface_hub", purpose="The Hub")
    import huggingface_hub

    if huggingface_hub.get_token() is None:
        raise UserError(
            "there is no token of the Hugging Face Hub on this machine: run 'hf auth login', or set HF_TOKEN, to one "
            "that may write"
        )
    try:
        huggingface_hub.create_repo(repository, private=private, exist_ok=True)
        return str(huggingface_hub.upload_folder(repo_id=repository, folder_path=folder))
    except (huggingface_hub.errors.HfHubHTTPError, OSError) as error:
        raise UserError(f"the Hub did not take '{folder}' as '{repository}': {error}") from error
