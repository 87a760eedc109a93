"""depthscale: exact measurement of vanishing and exploding gradients, in JAX.

import bench
import pandas as pd

sweep = bench.Sweep(activations=("tanh",), depths=(2, 50, 852), scales=(0.9, 1.0, 1.5), seeds=8)
cells = pd.read_parquet(bench.run(sweep, name="first") / "cells")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench import theory
    from bench.engine.arrays import GradientNorms, gradient_norms
    from bench.networks.activations import ACTIVATIONS, Activation
    from bench.networks.initializers import INITIALIZERS
    from bench.runs.store import RunError
    from bench.settings.errors import SweepError
    from bench.sweeps.presets import PRESETS
    from bench.sweeps.runner import run
    from bench.sweeps.sweep import Sweep
    from bench.training.presets import TRAININGS
    from bench.training.runner import train
    from bench.training.training import Training

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "PRESETS",
    "TRAININGS",
    "Activation",
    "GradientNorms",
    "RunError",
    "Sweep",
    "SweepError",
    "Training",
    "gradient_norms",
    "run",
    "theory",
    "train",
]

_HOMES = {
    "ACTIVATIONS": "networks.activations",
    "Activation": "networks.activations",
    "GradientNorms": "engine.arrays",
    "INITIALIZERS": "networks.initializers",
    "PRESETS": "sweeps.presets",
    "RunError": "runs.store",
    "Sweep": "sweeps.sweep",
    "SweepError": "settings.errors",
    "TRAININGS": "training.presets",
    "Training": "training.training",
    "gradient_norms": "engine.arrays",
    "run": "sweeps.runner",
    "train": "training.runner",
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for: theory and figures need no JAX."""
    if name == "theory":
        return import_module("bench.theory")
    if name in _HOMES:
        return getattr(import_module(f"bench.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
