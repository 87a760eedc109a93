"""Mean-field theory over the plane of weight and bias standard deviations: lengths and χ₁ of infinitely wide networks.

    q_{l+1} = σ_w² E φ(√q_l ẑ)² + σ_b²        q_1 = σ_w² + σ_b²        χ₁ = σ_w² E φ′(√q ẑ)²

q_l: the variance of pre-activations in layer l; ẑ standard normal; q: the first fixed point on the way from q_1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.rows.select import SelectionError, check_name
from bench.terminal.progress import with_bar
from bench.theory.moments import CLIP, tabulated
from bench.theory.nonlinearities import NONLINEARITIES, Nonlinearity, nonlinearity

STEP = 0.01  # of ln q, between which the length map is taken as linear
KEPT = 1e-11  # a drift of ln q this small is rounding
NEAR = 1e-10  # a drift in a table


def phase_plane(
    activation: Any, weight_stds: Sequence[float], bias_stds: Sequence[float], *, progress: bool = False
) -> pd.DataFrame:
    """One row for each pair: ``activation``, ``weight_std`` (σ_w), ``bias_std`` (σ_b), ``q``, ``chi1``, ``xi_grad``.

    q is 0 where lengths vanish, inf where they explode; xi_grad = 1/|ln χ₁|, in layers, is inf on the edge of chaos. The
    numbers are those of :func:`bench.theory.fixed_point` to about 10⁻⁴, but a plane takes seconds, not minutes: all σ_b are
    found at once, and no correlations. ``activation`` is a name or ``package.module:function``. Raises SelectionError for
    an unknown one, and for numbers that span no plane.
    """
    phi = _known(activation)
    weights, biases = _axis("weight_stds", weight_stds, above=0.0), _axis("bias_stds", bias_stds, above=-1e-300)
    columns = []
    for weight_std in with_bar(weights.tolist(), "columns", shown=progress):
        log_q = _log_fixed_lengths(phi, weight_std, biases)
        log_chi = 2 * np.log(weight_std) + tabulated(phi)(np.clip(log_q, -CLIP, CLIP)).log_slope
        log_chi = np.where(np.abs(log_chi) < KEPT, 0.0, log_chi)
        with np.errstate(divide="ignore"):
            columns.append((np.full_like(biases, weight_std), biases, np.exp(log_q), np.exp(log_chi), 1 / np.abs(log_chi)))
    names = ("weight_std", "bias_std", "q", "chi1", "xi_grad")
    frame = pd.DataFrame(dict(zip(names, np.concatenate(columns, axis=1), strict=True)))
    frame.insert(0, "activation", phi.name)
    return frame


def _known(activation: Any) -> Nonlinearity:
    if isinstance(activation, str) and ":" not in activation:
        check_name("activation", activation, NONLINEARITIES)
    try:
        phi = nonlinearity(activation)
        phi.slope(np.zeros(1))
    except Exception as error:  # the user's function may fail in any way
        raise SelectionError("activation", activation, f"a name or package.module:function; {error}") from error
    return phi


def _axis(argument: str, values: Sequence[float], *, above: float) -> np.ndarray:
    """Ascending, each once."""
    axis = np.unique(np.asarray(values, float))
    if len(axis) < 2 or not np.isfinite(axis).all() or axis[0] <= above:
        raise SelectionError(argument, list(values)[:5], f"two or more numbers {'above' if above == 0 else 'from'} 0 on")
    return axis


def _log_fixed_lengths(phi: Nonlinearity, weight_std: float, bias_stds: np.ndarray) -> np.ndarray:
    """Logarithms of q, or ±inf, for every bias: where ln q_{l+1} - ln q_l first changes its sign on the way from q_1."""
    with np.errstate(divide="ignore"):
        log_weight, log_bias = 2 * np.log(weight_std), 2 * np.log(bias_stds)[:, None]
    grid = np.arange(-CLIP, CLIP + STEP / 2, STEP)
    table = tabulated(phi)
    start = np.logaddexp(log_weight, log_bias)
    at_start = np.logaddexp(log_weight + table(start).log_value, log_bias) - start
    way = np.where(at_start < 0, -1.0, 1.0)
    drift = (np.logaddexp(log_weight + table(grid).log_value, log_bias) - grid) * way
    turned = (drift < -NEAR) & ((grid - start) * way > 0)
    # Downwards the first place is the last on the grid.
    place = np.where(way[:, 0] > 0, turned.argmax(axis=1), len(grid) - 1 - turned[:, ::-1].argmax(axis=1))
    before = np.clip(place - way[:, 0].astype(int), 0, len(grid) - 1)
    rows = np.arange(len(bias_stds))
    gone, left = drift[rows, place], drift[rows, before]
    with np.errstate(invalid="ignore", divide="ignore"):
        root = grid[place] - (grid[place] - grid[before]) * gone / (gone - left)
    vanishes = (bias_stds == 0) & phi.vanishes_at_zero
    end = np.where(way[:, 0] > 0, np.inf, np.where(vanishes, -np.inf, -CLIP))
    found = np.where(turned.any(axis=1), root, end)
    return np.where(np.abs(at_start[:, 0]) < KEPT, start[:, 0], found)
