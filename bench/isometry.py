"""How far a comparison's networks are from isometries: singular values of their Jacobians, on a few of its seeds."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import numpy as np
import pandas as pd
from tqdm import tqdm

from bench.activations import ACTIVATIONS
from bench.jacobians import isometry
from bench.lanes import Lane, lanes_of
from bench.measure import seed_mesh
from bench.networks import networks_of
from bench.plan import families
from bench.sweep import Sweep

CONDITION_DEPTH = 64  # beyond it a condition number says little more, and costs a pass in float64
LARGEST_BYTES = 2**29  # of one float64 copy of the Jacobians


def add_isometry(table: pd.DataFrame, sweep: Sweep, *, seeds: int, progress: bool = True) -> pd.DataFrame:
    """The table of :func:`bench.compare.compare` with the isometry of each row's first ``seeds`` networks.

    ``sigma_ratio``: σ_max / σ_rms of the Jacobian ∂h_{L-1}/∂h_0 at the row's depth, ``log10_condition``: log10 σ_max / σ_min
    at ``condition_depth`` ≤ 64 (inf where it is singular), both means over ``isometry_seeds`` networks; NaN for 0 seeds and
    undefined schemes.
    """
    depth = max(sweep.depths)
    condition_depth = min(CONDITION_DEPTH, depth)
    found: dict[tuple, tuple[float, float]] = {}
    if seeds:
        groups = list(_groups(sweep))
        bar = tqdm(total=sum(len(lanes) for *_, lanes in groups), unit=" schemes", disable=not progress, desc="isometry")
        with bar, jax.enable_x64(sweep.dtype == "float64"):
            for activation, width, lanes in groups:
                fitting = max(1, LARGEST_BYTES // (8 * seeds * width**2))
                for first in range(0, len(lanes), fitting):
                    block = lanes[first : first + fitting]
                    values = _measure(sweep, activation, width, block, seeds, depth, condition_depth)
                    cells = [(lane.initializer, activation, width, lane.bias_std, lane.scale) for lane in block]
                    found |= dict(zip(cells, values, strict=True))
                    bar.update(len(block))
    keys = zip(*(table[name] for name in ("initializer", "activation", "width", "bias_std", "scale")), strict=True)
    ratio, condition = np.transpose([found.get(key, (np.nan, np.nan)) for key in keys])
    return table.assign(sigma_ratio=ratio, log10_condition=condition, condition_depth=condition_depth, isometry_seeds=seeds)


def _groups(sweep: Sweep) -> Iterator[tuple[str, int, list[Lane]]]:
    """Lanes that share drawn weights and are defined."""
    for width in sweep.widths:
        for names in families(sweep.initializers):
            for activation in sweep.activations:
                lanes = [lane for lane in lanes_of(sweep, names, activation, width) if not np.isnan(lane.engine_scale)]
                if lanes:
                    yield activation, width, lanes


def _measure(
    sweep: Sweep, activation: str, width: int, lanes: list[Lane], seeds: int, depth: int, condition_depth: int
) -> list[tuple[float, float]]:
    """(sigma_ratio, log10_condition) of each lane."""
    mesh = seed_mesh(seeds)
    padded = np.minimum(np.arange(-(-seeds // mesh.size) * mesh.size), seeds - 1)  # the last seed fills the devices
    networks = networks_of(
        lanes[0].initializer,
        activation,
        key=sweep.key,
        width=width,
        seeds=padded.tolist(),
        dtype=sweep.dtype,
        mesh=mesh,
        keep=False,
    )
    found = isometry(
        networks.segments,
        networks.inputs,
        mesh=mesh,
        activation=ACTIVATIONS[activation],
        scales=np.array([lane.engine_scale for lane in lanes]),
        bias_stds=np.array([lane.bias_std for lane in lanes]),
        depth=depth,
        condition_depth=condition_depth,
    )
    return [
        (float(r[:seeds].mean()), float(c[:seeds].mean())) for r, c in zip(found.ratio, found.log10_condition, strict=True)
    ]
