"""How far a comparison's networks are from isometries: singular values of their Jacobians, on a few of its seeds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from bench.arithmetic.numerics import settled
from bench.comparison.compare import SCHEME
from bench.engine.jacobians import isometry
from bench.engine.lyapunov import lyapunov_exponents
from bench.networks.activations import ACTIVATIONS
from bench.networks.batches import Batch, networks_of
from bench.networks.schemes import families
from bench.networks.seeds import seed_mesh
from bench.settings.defaults import PLAIN
from bench.sweeps.lanes import Lane, lanes_of
from bench.sweeps.plan import keeps_weights
from bench.sweeps.sweep import Sweep
from bench.terminal.progress import counting_bar

CONDITION_DEPTH = 64  # beyond it a condition number says little more, and costs a pass in float64
LARGEST_BYTES = 2**29  # of one float64 copy of the Jacobians


def add_isometry(table: pd.DataFrame, sweep: Sweep, *, seeds: int, progress: bool = True) -> pd.DataFrame:
    """The table of :func:`bench.comparison.compare.compare` with the isometry of each row's first ``seeds`` networks.

    Of the Jacobian ∂h_{L-1}/∂h_0: ``lyapunov_spread``, the standard deviation over a quarter of the directions (n / 4, at
    least 2), those that it stretches most, of their Lyapunov exponents at the row's depth, in decades per layer
    (:mod:`bench.engine.lyapunov`): 0 for an isometry, at any depth, and free of the weights' scale. ``log10_condition``:
    log10 σ_max / σ_min at ``condition_depth`` ≤ 64, inf where it is singular, as with ReLU. Both are means over
    ``isometry_seeds`` networks; NaN for 0 seeds and undefined schemes.
    """
    depth = max(sweep.depths)
    condition_depth = min(CONDITION_DEPTH, depth)
    found: dict[tuple, tuple[float, float]] = {}
    if seeds and PLAIN in sweep.architectures:
        groups: list[Any] = list(_groups(sweep))
        bar = counting_bar(sum(len(lanes) for *_, lanes in groups), "schemes", "isometry", shown=progress)
        with bar, settled(sweep.dtype):
            for (_, width), members in groupby(groups, key=lambda group: group[:2]):
                networks = None
                for names, width, activation, lanes in members:
                    networks = networks or _networks(sweep, names[0], width, seeds)
                    fitting = max(1, LARGEST_BYTES // (8 * seeds * width**2))
                    for first in range(0, len(lanes), fitting):
                        block = lanes[first : first + fitting]
                        values = _measure(networks, activation, block, seeds, depth, condition_depth)
                        cells = [(PLAIN, lane.initializer, activation, width, *lane[1:4]) for lane in block]
                        found |= dict(zip(cells, values, strict=True))
                        bar.update(len(block))
    keys = zip(*(table[name] for name in SCHEME), strict=True)
    spread, condition = np.transpose([found.get(key, (np.nan, np.nan)) for key in keys])
    measured = {"lyapunov_spread": spread, "log10_condition": condition}
    return table.assign(**measured, condition_depth=condition_depth, isometry_seeds=seeds)


def _groups(sweep: Sweep) -> Iterator[tuple[tuple[str, ...], int, str, list[Lane]]]:
    """(initializers of a family, width, activation, those of its lanes that are defined)."""
    for names in families(sweep.initializers):
        for width in sweep.widths:
            for activation in sweep.activations:
                lanes = [lane for lane in lanes_of(sweep, names, activation, width) if not np.isnan(lane.engine_scale)]
                if lanes:
                    yield names, width, activation, lanes


def _networks(sweep: Sweep, initializer: str, width: int, seeds: int) -> Batch:
    """The first networks of the sweep; the last one fills the devices."""
    mesh = seed_mesh(seeds)
    padded = np.minimum(np.arange(-(-seeds // mesh.size) * mesh.size), seeds - 1)
    keep = keeps_weights(sweep, width, len(padded))
    drawn = {"key": sweep.key, "width": width, "seeds": padded.tolist(), "dtype": sweep.dtype}
    return networks_of(initializer, mesh=mesh, keep=keep, **drawn)


def _measure(
    networks: Batch, activation: str, lanes: list[Lane], seeds: int, depth: int, condition_depth: int
) -> list[tuple[float, float]]:
    """(lyapunov_spread, log10_condition) of each lane."""
    width = networks.inputs.shape[1]
    asked: Any = {
        "mesh": seed_mesh(seeds),
        "activation": ACTIVATIONS[activation],
        "scales": np.array([lane.engine_scale for lane in lanes]),
        "bias_stds": np.array([lane.bias_std for lane in lanes]),
        "input_norms": np.array([lane.input_norm for lane in lanes]),
    }
    count = min(max(2, width // 4), width)
    segments, inputs = networks.segments(activation), networks.inputs
    exponents = lyapunov_exponents(segments, inputs, depth=depth, count=count, **asked)
    conditions = isometry(segments, inputs, depth=condition_depth, condition_depth=condition_depth, **asked).log10_condition
    with np.errstate(invalid="ignore"):  # a network that loses some of them is no isometry at all
        spreads = np.where(np.isneginf(exponents[..., -1]), np.inf, exponents.std(axis=-1))
    return [(_mean(spread[:seeds]), _mean(condition[:seeds])) for spread, condition in zip(spreads, conditions, strict=True)]


def _mean(values: np.ndarray) -> float:
    """The mean over networks; NaN without any."""
    return float(values.mean()) if values.size else float("nan")
