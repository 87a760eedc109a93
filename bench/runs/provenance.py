"""Who measured: versions, device, commit and the time."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from datetime import UTC, datetime
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

    def version(package: str) -> str | None:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return None

    return {package: version(package) for package in PACKAGES}


def device() -> dict[str, Any]:
    """What this process measures on."""
    devices = jax.local_devices()
    return {"platform": devices[0].platform, "kind": devices[0].device_kind, "count": len(devices)}


def _git() -> dict[str, Any] | None:
    """The commit of the project's own checkout, and whether its files, results aside, were changed.

    None outside one, and where git does not answer in time.
    """

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", Path(__file__).parent, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
            timeout=PATIENCE,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)results")
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(changed)}
    except (OSError, subprocess.SubprocessError):
        return None
