"""Who measured: versions, device, commit and the time."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jax

PACKAGES = ("depthscale", "jax", "jaxlib", "numpy", "optax", "pyarrow", "scikit-learn")
PATIENCE = 5.0  # seconds that git may take


def session() -> dict[str, Any]:
    """Who measures from now on, as JSON types."""
    return {"started": now(), "versions": versions(), "device": device(), "git": _git()}


def now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str | None]:
    """Of what rows are made with; None for what is not installed."""
    return {package: _version(package) for package in PACKAGES}


@cache
def _version(package: str) -> str | None:
    """As it was when this process asked first, which is what it has imported."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def device() -> dict[str, Any]:
    """What this process measures on."""
    devices = jax.local_devices()
    return {"platform": devices[0].platform, "kind": devices[0].device_kind, "count": len(devices)}


@cache
def _git() -> dict[str, Any] | None:
    """The commit of the project's own checkout, and whether its files, results aside, were changed.

    As it was when this process asked first, like what it has imported. None outside one, and where git does not answer in
    time.
    """
    asked = ["status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", ":/", ":(top,exclude)results"]
    try:
        done = subprocess.run(
            ["git", "-C", Path(__file__).parent, *asked],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
            timeout=PATIENCE,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.splitlines()
    commits = [line.split()[-1] for line in lines if line.startswith("# branch.oid ")]
    if not commits or commits == ["(initial)"]:
        return None
    return {"commit": commits[0], "dirty": any(not line.startswith("#") for line in lines)}
