"""The edge of chaos: where the mean square of the gradient neither grows nor decays, χ₁ = 1.

At length K a weight variance C_W = 1 / E φ′² makes χ₁ = 1, and a bias variance C_b = K - C_W E φ² makes K a fixed point. So
the critical points of an activation are a curve, one for each K with C_b ≥ 0.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from bench.theory.arguments import checked
from bench.theory.meanfield import fixed_point
from bench.theory.moments import moments
from bench.theory.nonlinearities import Nonlinearity, nonlinearity
from bench.theory.roots import root

LOG_LENGTHS = np.linspace(-30, 30, 601)  # of K
SMALLEST_BIAS = 1e-9  # a bias variance below this share of K is none
STABLE = 1e-4  # how far above 1 the slope of a length map may be found at a point where it is 1


class Critical(NamedTuple):
    """A point with χ₁ = 1, or NaN. ``q``: its length K; ``note``: which point it is, or why there is none."""

    weight_std: float
    bias_std: float
    q: float
    note: str


@checked
@lru_cache(maxsize=1024)
def critical(activation: Any, bias_std: float | None = None) -> Critical:
    """The critical point of an activation at σ_b = ``bias_std``, or by default the one to initialize with.

    The default, after Roberts, Yaida & Hanin 2022 (arXiv 2106.10165, ch. 5), asks that lengths be critical too, χ_∥ = 1:

    * scale-invariant activations (linear, ReLU, leaky ReLU) keep any length at σ_b = 0, σ_w² = 2/(1 + α²);
    * where K = 0 attracts (tanh, erf, sine, hard_tanh, ELU, …) it is K = 0, σ_b = 0, σ_w² = 2/(φ′(0-)² + φ′(0+)²);
    * elsewhere (GELU, SiLU) the K > 0 where χ_∥ = χ₁ = 1, with the bias that makes it a fixed point;
    * and failing that (sigmoid), the point on the edge χ₁ = 1 at σ_b = 0.

    A ``bias_std`` that is given selects the point on the edge with that bias whose length attracts, the shortest if there
    are several. Raises ValueError for one that is not a finite number ≥ 0.
    """
    phi = nonlinearity(activation)
    if bias_std is not None:
        return _on_edge(phi, bias_std)
    if phi.negative_slope is not None:
        return _invariant(phi)
    if phi.vanishes_at_zero and (at_zero := _at_zero(phi)) is not None:
        return at_zero
    return _both_critical(phi) or _on_edge(phi, 0.0)


def _none(note: str) -> Critical:
    return Critical(float("nan"), float("nan"), float("nan"), note)


def _invariant(phi: Nonlinearity) -> Critical:
    weight_std = float(np.exp(-moments(phi, np.zeros(())).log_slope / 2))
    return Critical(weight_std, 0.0, weight_std**2, "every length is kept")


def _at_zero(phi: Nonlinearity) -> Critical | None:
    """K → 0, if lengths decay to it: σ_w from φ's slopes there."""
    log_variance = -float(moments(phi, np.array(-60.0)).log_slope)
    near = moments(phi, np.array(-8.0))
    if log_variance + float(near.log_value) > -8.0:  # a short length grows
        return None
    return Critical(_tidy(np.exp(log_variance / 2)), 0.0, 0.0, "lengths decay to 0 as a power of depth")


def _curve(phi: Nonlinearity, log_length: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The curve at lengths K: ln C_W, C_b / K, and χ_∥."""
    at = moments(phi, np.asarray(log_length, float))
    log_weight = -at.log_slope
    gain = np.exp(log_weight + at.log_value - log_length)
    return log_weight, 1 - gain, gain * at.value2 / 2


def _point(phi: Nonlinearity, log_length: float, note: str) -> Critical:
    log_weight, bias, _ = _curve(phi, log_length)
    length = float(np.exp(log_length))
    bias_std = float(np.sqrt(bias * length)) if bias > SMALLEST_BIAS else 0.0
    return Critical(float(np.exp(log_weight / 2)), bias_std, length, note)


def _roots(function: Any) -> list[float]:
    """The zeros of a function of ln K, ascending; sign changes that are rounding alone are none."""
    values = function(LOG_LENGTHS)
    with np.errstate(invalid="ignore"):
        changes = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    cells = ((float(LOG_LENGTHS[place]), float(LOG_LENGTHS[place + 1])) for place in changes)
    return [root(function, low, high) for low, high in cells if function(low) * function(high) < 0]


def _both_critical(phi: Nonlinearity) -> Critical | None:
    """χ_∥ = χ₁ = 1 at K > 0 with C_b ≥ 0."""
    for log_length in _roots(lambda x: np.where(x < -9, np.nan, _curve(phi, x)[2] - 1)):
        if _curve(phi, log_length)[1] >= 0:
            return _point(phi, log_length, "lengths and angles are both critical (χ_∥ = χ_⊥ = 1)")
    return None


def _on_edge(phi: Nonlinearity, bias_std: float) -> Critical:
    if phi.negative_slope is not None:
        return _invariant(phi) if bias_std == 0 else _none("with a bias every length grows without end where χ₁ = 1")
    at_zero = _at_zero(phi) if phi.vanishes_at_zero and bias_std == 0 else None
    if at_zero is not None:
        return at_zero
    variance = bias_std**2
    # C_b(K) = σ_b², in units of K
    shares = _roots(lambda log_length: _curve(phi, log_length)[1] - variance * np.exp(-np.asarray(log_length)))
    for log_length in shares:
        if _curve(phi, log_length)[2] <= 1 + STABLE and log_length > -25:
            found = _point(phi, log_length, "on the edge of chaos at this bias")
            found = found._replace(bias_std=float(bias_std))
            reached = fixed_point(phi, found.weight_std, found.bias_std).q
            if np.isclose(reached, found.q, rtol=1e-3):
                return found
    return _none("no stable length has χ₁ = 1 at this bias" if shares else "no length has χ₁ = 1 at this bias")


def _tidy(weight_std: float) -> float:
    """Without rounding noise: φ′(0) is a rounded number where it is taken."""
    return float(f"{weight_std:.14g}")
