"""The console command ``depthscale``, which is ``python -m bench`` and, as ``depthscale plot``, ``python -m analysis``."""

from bench.terminal.process import run_process


def depthscale() -> None:
    """Run it."""
    run_process("bench.cli.main", "depthscale")
