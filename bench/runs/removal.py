"""Remove a run, and nothing else."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.runs.errors import RunError
from bench.runs.files import TEMPORARY
from bench.runs.manifest import NAME, no_run, one_line, read_manifest
from bench.runs.place import check_name

TABLES = ("cells", "layers", "pairs", "formats", "format_layers", "curves")
OF_A_RUN = ("manifest.json", "shards.jsonl", *TABLES, "table.csv", "table.md", "table.tex")
DRAWN = (".png", ".pdf", ".svg")
TOKEN = 4  # bytes in the name of what is removed
ASIDE = f"{TEMPORARY}removed-"  # what a run is called while it is removed, and held: no run any more


def remove_run(results: str | os.PathLike[str], name: str, argument: str = "overwrite") -> None:
    """Remove the folder ``results/name`` with all that it holds, if there is one; ``argument``: what asks for it.

    Raises :class:`bench.RunError` for a folder that is no run, one that also holds files which no run wrote, one that is
    only linked to, one that another process is writing, one that may not be removed, and a name that no run can have; then
    it is as it was.
    """
    with _removable(Path(results), name, argument) as folder:
        if folder is not None:
            aside = folder.with_name(f"{ASIDE}{secrets.token_hex(TOKEN)}-{name}")
            folder.rename(aside)  # first: what its parent does not let go is refused while it is whole
            shutil.rmtree(aside)
    clear_removed(results)


def clear_removed(results: str | os.PathLike[str]) -> None:
    """Remove what killed removals have left in a folder of runs.

    Such a one is held by nobody; what another process is removing just now is, and is let be, as is what cannot be removed.
    So is a folder of that name that holds what no run wrote.
    """
    for aside in Path(results).glob(f"{ASIDE}{'[0-9a-f]' * 2 * TOKEN}-*"):
        with suppress(OSError):
            handle = os.open(aside, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if all(map(_is_of_a_run, aside.iterdir())):
                    shutil.rmtree(aside)
            finally:
                os.close(handle)


def check_removable(results: str | os.PathLike[str], name: str, argument: str = "overwrite") -> None:
    """Raises RunError as :func:`remove_run` does, and removes nothing."""
    with _removable(Path(results), name, argument):
        pass


@contextmanager
def _removable(results: Path, name: str, argument: str) -> Iterator[Path | None]:
    """The run's folder, held so that no other process writes it; None where there is none. Raises RunError."""
    check_name(name, argument)
    folder = results / name
    if not os.path.lexists(folder):
        yield None
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
        _check_permissions(folder)
        yield folder
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
        words = f"cannot be read: {one_line(error)}; remove the folder yourself, or choose another name"
        raise RunError(f"{argument}: {str(folder / NAME)!r} {words}") from error


def _check_permissions(folder: Path) -> None:
    """Raises PermissionError where the folder's own parent, or a folder of the run, is read-only."""
    own = (path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())
    for path in (folder.parent, folder, *own):
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(f"{path} is read-only")


def _is_of_a_run(path: Path) -> bool:
    """Whether a run, its comparison or a figure of it can have that name."""
    return path.name in OF_A_RUN or path.suffix in DRAWN or path.name.startswith(TEMPORARY)
