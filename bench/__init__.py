"""depthscale: exact measurement of vanishing and exploding gradients, in JAX.

import bench
import pandas as pd

sweep = bench.Sweep(activations=("tanh",), depths=(2, 50, 852), scales=(0.9, 1.0, 1.5), seeds=8)
cells = pd.read_parquet(bench.run(sweep, name="first") / "cells")
"""

from bench.activations import ACTIVATIONS, Activation
from bench.arrays import GradientNorms, gradient_norms
from bench.initializers import INITIALIZERS
from bench.presets import PRESETS
from bench.run import run
from bench.store import RunError
from bench.sweep import Sweep, SweepError

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "PRESETS",
    "Activation",
    "GradientNorms",
    "RunError",
    "Sweep",
    "SweepError",
    "gradient_norms",
    "run",
]
