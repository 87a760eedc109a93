"""The table that ``python -m bench theory`` prints."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from bench.sweeps.sweep import Sweep
from bench.terminal.progress import with_bar
from bench.theory import critical, fixed_point, phase, predict


def table(sweep: Sweep, *, progress: bool = False) -> pd.DataFrame:
    """One row for each activation, bias_std and scale: the fields of a fixed point, slope (decades a layer) and phase."""
    points = [(a, b, s) for a in sweep.activations for b in sweep.bias_stds for s in sweep.scales]
    rows = []
    for activation, bias_std, scale in with_bar(points, "points", shown=progress):
        found = fixed_point(activation, scale, bias_std)
        with np.errstate(divide="ignore"):
            slope = float(np.log10(found.chi1)) / 2
        point = {"activation": activation, "bias_std": bias_std, "weight_std": scale}
        rows.append(point | found._asdict() | {"slope": slope, "phase": str(phase(found.q, found.chi1))})
    return pd.DataFrame(rows)


def predictions(sweep: Sweep, activation: str, *, progress: bool = False) -> pd.DataFrame:
    """Of log10 ‖∂y/∂W_1‖ with Gaussian and orthogonal weights: mean and std over seeds, and the law or why there is none."""
    rows = []
    cells = list(product(("gaussian", "orthogonal"), sweep.bias_stds, sweep.scales, sweep.widths, sweep.depths))
    for initializer, bias_std, scale, width, depth in with_bar(cells, "cells", shown=progress):
        cell = {"initializer": initializer, "bias_std": bias_std, "scale": scale, "width": width, "depth": depth}
        found = predict(activation=activation, **cell)
        mean, std = found.log10_grad_first
        rows.append(cell | {"mean": mean, "std": std, "law": found.reason or found.law})
    return pd.DataFrame(rows)


def describe_critical(activation: str) -> str:
    """An activation's critical point in a line."""
    point = critical(activation)
    if np.isnan(point.weight_std):
        return f"no critical point: {point.note}"
    numbers = ", ".join(f"{name} {value:.6g}" for name, value in zip(point._fields, point[:3], strict=False))
    return f"critical: {numbers}: {point.note}"
