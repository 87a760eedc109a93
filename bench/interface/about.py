"""What a run says about itself in a few lines, for a terminal and for a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from bench.settings.units import amount

MOST_NAMES = 6
TABLES = ("cells", "layers", "pairs", "formats", "format_layers", "curves")
# field → what its values are called; those of a training are shown where it has them
NETWORKS = (
    *("model", "task", "architectures", "initializers", "activations", "widths", "bias_stds", "input_norms"),
    *("correlations", "formats"),
)
AXES = (*NETWORKS, "depths", "scales", "optimizers", "learning_rates")
OTHERS = ("readout_learning_rates", "schedule", "steps", "seeds", "key", "loss", "loss_scale", "dtype", "precision")
VERSIONS = ("depthscale", "jax", "numpy")


class Described(Protocol):
    """What can be described: a run."""

    path: Path

    @property
    def manifest(self) -> Mapping[str, Any]:
        """As :attr:`bench.interface.run.Run.manifest`."""
        ...

    @property
    def kind(self) -> str:
        """As :attr:`bench.interface.run.Run.kind`."""
        ...


def as_text(run: Described) -> str:
    """A line for each thing that there is to say; one line for a folder that is no run any more."""
    try:
        found = lines(run)
    except (OSError, ValueError) as error:
        return f"<Run {run.path}: {error}>"
    width = max(map(len, found))
    return "\n".join([f"Run {run.path}", *(f"  {name:{width}}  {words}" for name, words in found.items())])


def as_html(run: Described) -> str:
    """The same as a table."""
    try:
        found = lines(run)
    except (OSError, ValueError):
        return f"<code>{html.escape(as_text(run))}</code>"
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(words)}</td></tr>" for name, words in found.items())
    return f"<table><caption>Run <code>{html.escape(str(run.path))}</code></caption>{rows}</table>"


def lines(run: Described) -> dict[str, str]:
    """What a run holds, how it was made, and how large it is, each by its name."""
    manifest, settings = run.manifest, run.manifest[run.kind]
    finished = manifest.get("finished")
    found = {"kind": run.kind, "finished": str(finished) if finished else "no: started again, it finishes the rest"}
    for name in (*AXES, *OTHERS):
        value = settings.get(name)
        if value not in (None, []):
            found[name.replace("_", " ")] = values(value) if isinstance(value, list) else str(value)
    there = [name for name in TABLES if any((run.path / name).glob("*.parquet"))]
    found["tables"] = f"{', '.join(there) or 'none yet'} ({size(run.path)})"
    found["made on"] = made_on(manifest)
    return found


def values(given: Sequence[Any]) -> str:
    """Names as they are, numbers as their range and how many there are."""
    if len(given) > MOST_NAMES or (len(given) > 3 and not isinstance(given[0], str)):
        if isinstance(given[0], str):
            return f"{', '.join(given[:MOST_NAMES])}, … ({len(given)})"
        return f"{given[0]:g} … {given[-1]:g} ({len(given)})"
    return ", ".join(value if isinstance(value, str) else f"{value:g}" for value in given)


def made_on(manifest: Mapping[str, Any]) -> str:
    """Device, versions and commit, as far as the manifest says."""
    device, versions, git = (manifest.get(name) or {} for name in ("device", "versions", "git"))
    words = [f"{device['count']} × {device.get('kind')} ({device.get('platform')})"] if "count" in device else []
    words += [f"{name} {versions[name]}" for name in VERSIONS if versions.get(name)]
    words += [f"commit {git['commit'][:9]}{' and changes' if git.get('dirty') else ''}"] if git.get("commit") else []
    return ", ".join(words) or "not said"


def size(folder: Path) -> str:
    """All files of the folder together."""
    return amount(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
