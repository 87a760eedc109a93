"""Remove a run, and nothing else."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from bench.runs.errors import RunError
from bench.runs.files import TEMPORARY
from bench.runs.manifest import NAME, no_run, one_line, read_manifest
from bench.runs.place import RUN_NAME

TABLES = ("cells", "layers", "pairs", "formats", "format_layers", "curves")
OF_A_RUN = ("manifest.json", "shards.jsonl", *TABLES, "table.csv", "table.md", "table.tex")
DRAWN = (".png", ".pdf", ".svg")


def remove_run(results: str | os.PathLike[str], name: str, argument: str = "overwrite") -> None:
    """Remove the folder ``results/name`` with all that it holds, if there is one; ``argument``: what asks for it.

    Raises :class:`bench.RunError` for a folder that is no run, one that also holds files which no run wrote, one that is
    only linked to, and one that another process is writing; then it is as it was. A name that no run can have is left to
    the run that asks for it.
    """
    folder = Path(results) / name
    if not RUN_NAME.fullmatch(name) or not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise RunError(f"{argument}: {folder} is no folder of its own; remove it yourself, or choose another name")
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _check_is_run(folder, argument)
        foreign = [path.name for path in folder.iterdir() if not _is_of_a_run(path)]
        if foreign:
            raise RunError(
                f"{argument}: {folder} also holds {foreign[0]}, which no run wrote; move it, or choose another name"
            )
        shutil.rmtree(folder)
    except BlockingIOError as error:
        raise RunError(f"{argument}: another process is writing {folder}; wait for it or choose another name") from error
    except OSError as error:
        raise RunError(f"{argument}: {folder} cannot be removed: {error.strerror or error}") from error
    finally:
        os.close(handle)


def _check_is_run(folder: Path, argument: str) -> None:
    try:
        read_manifest(folder)
    except FileNotFoundError:
        raise RunError(f"{argument}: {no_run(folder)}; remove it yourself, or choose another name") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{argument}: {str(folder / NAME)!r} cannot be read: {one_line(error)}") from error


def _is_of_a_run(path: Path) -> bool:
    """Whether a run, its comparison or a figure of it can have that name."""
    return path.name in OF_A_RUN or path.suffix in DRAWN or path.name.startswith(TEMPORARY)
