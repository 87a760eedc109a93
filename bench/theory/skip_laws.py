"""Laws across seeds of networks that add: residual2, and of linear ones residual and conv with a skip.

They are exact, but for slopes of residual2.

A law that rotations leave as it is makes what a block does to a length independent of where the vector points, so that

    ‖∂y/∂W_1‖² = (of block 1) · X_2 ⋯ X_{L-1}        X_l independent, of :mod:`bench.theory.steps`

**residual**, h + α W h: δ_{l-1} = (1 + α W_lᵀ) δ_l and ∂y/∂W_1 = α δ_1 h_0ᵀ, where δ_1 does not know W_1. X = ‖e + α W e‖²,
of Gaussian and of orthogonal weights, and (1 + α σ)² of σ times the identity; biases change nothing. conv with a skip and
delta-orthogonal kernels is the same at the readout's position, times the K positions that its first kernel sees.

**residual2**: :mod:`bench.theory.branch_laws`; of linear ones with σ times the identity X = (1 + α σ²)², and 2 α² σ² ‖h_0‖²
is of block 1.
"""

from __future__ import annotations

import math

from bench.theory.branch_laws import FEWEST, branch, first, of_one
from bench.theory.ends import Case, Ends
from bench.theory.laws import log_share
from bench.theory.steps import Moments, gaussian_step, orthogonal_step

LAYERSCALE = 1e-4  # α of init=layerscale


def residual(case: Case) -> Ends | None:
    """Skip: h + alpha W h."""
    if not case.setting.phi.is_linear:
        return None
    deep, shallow = case.both
    alphas = deep.factor("alpha"), shallow.factor("alpha")
    return _added(case, alphas[0], *(2 * math.log(abs(alpha)) for alpha in alphas))


def convolution(case: Case, kernels: int) -> Ends | None:
    """Skip: h + W * h, of kernels that act on their middle alone and see so many positions."""
    seen = math.log(kernels)
    return _added(case, 1.0, seen, seen) if case.setting.phi.is_linear else None


def _added(case: Case, alpha: float, of_first: float, of_first_at_2: float) -> Ends | None:
    step = _step(case.kind, case.setting.width, math.log(abs(alpha)) + math.log(case.setting.std), alpha > 0)
    if step is None:
        return None
    long = step.times(case.setting.depth - 2).plus(case.log_input + of_first)
    return Ends(long, Moments(case.log_input + of_first_at_2, 0.0), 0.0)


def _step(kind: str, width: int, log_strength: float, positive: bool) -> Moments | None:
    """Of ln X, of one matrix; None where X may be 0."""
    if kind == "iid":
        return gaussian_step(width, 2 * log_strength - math.log(width))
    if log_strength == 0 and (width == 1 if kind == "orthogonal" else not positive):
        return None
    if kind == "orthogonal":
        return orthogonal_step(width, log_strength)
    out, small = max(0.0, log_strength), math.exp(-abs(log_strength))
    return Moments(2 * (out + math.log1p(small if positive else -small)), 0.0)


def residual2(case: Case) -> Ends | None:
    """Skip: h + alpha W2 phi(W1 h)."""
    setting, slope = case.setting, case.setting.phi.negative_slope
    n, only_linear = setting.width, case.kind == "identity" or (case.kind == "orthogonal" and setting.width == 1)
    if slope is None or case.biased or (only_linear and slope != 1):
        return None
    init, power = setting.given.get("init", "plain"), 2 * math.log(setting.std)
    alphas = [LAYERSCALE if init == "layerscale" else each.factor("alpha") for each in case.both]
    gaussian, logs = case.kind == "iid", [2 * math.log(abs(alpha)) + case.log_input + power for alpha in alphas]
    if init == "fixup":
        same = of_one(n, slope, gaussian=gaussian)
        long, short = (same.plus(log - math.log(each.depth)) for log, each in zip(logs, case.both, strict=True))
        return Ends(long, short, same.variance, log_share(n, slope).alive)
    of_first = first(n, slope, gaussian=gaussian)
    long, short = (of_first.whole.plus(log) for log in logs)
    strength = math.log(abs(alphas[0])) + power
    if slope == 1 and not gaussian:
        step, kept = _step(case.kind, n, strength, alphas[0] > 0), 1.0
    else:
        step, kept = branch(n, slope, gaussian=gaussian, log_square=2 * strength)
    if step is None:
        return None
    cosine = 1 / n + (1 - 1 / n) * kept ** (setting.depth - 2)
    shared = of_first.shared(cosine) if slope == 1 or n >= FEWEST else math.nan
    exact = not of_first.expanded or math.isnan(shared)
    return Ends(step.times(setting.depth - 2).plus(*long), short, shared, log_share(n, slope).alive, exact)
