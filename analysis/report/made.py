"""What was run: when, where, with which versions, and the command that runs it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.runs.manifest import kind_of
from bench.runs.remake import command_of


def made(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a manifest says of it, in words: name and text."""
    device, versions, git = (manifest.get(name) or {} for name in ("device", "versions", "git"))
    changed = " and changes that were not committed" if git.get("dirty") else ""
    found = {
        "kind": kind_of(manifest),
        "device": f"{device.get('count')} × {device.get('kind')} ({device.get('platform')})" if device else "",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        "commit": f"{git['commit']}{changed}" if git.get("commit") else "",
        "started": str(manifest.get("started") or ""),
        "finished": str(manifest.get("finished") or "not finished: the page shows what is there"),
        "time": f"{spent:.3g} s" if isinstance(spent := manifest.get("total_seconds"), (int, float)) else "",
    }
    return [(name, text) for name, text in found.items() if text]


def command(folder: Path, manifest: Mapping[str, Any]) -> str:
    """The command that makes the run again."""
    return command_of(folder, manifest, kind_of(manifest))
