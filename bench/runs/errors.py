"""What is said of runs that cannot be written or read."""

from __future__ import annotations

from bench.settings.errors import UsageError


class RunError(UsageError):
    """A run that cannot be started or continued; the text says which argument, why, and what to do."""


class LoadError(ValueError):
    """A folder that cannot be read as a run: its one line names the folder, what is wrong, and what to do."""
