"""Exact laws across seeds of networks that normalize every example, normed; :mod:`bench.theory.post_laws` has the sums.

What h → h / rms(h) hands back of a cotangent is beside h, and what is beside z = W h knows W by z alone: given z, Wᵀ w with
⟨w, z⟩ = 0 lies beside h, points anywhere there, and has the squared length ‖w‖² (σ²/n) χ²_{n-1} (Gaussian), ‖w‖² σ²
(orthogonal). So δ_l lies beside h_l, and on the way down no normalization takes anything away but its factor.

**normed** with k units alive in a layer: k ~ Binomial(n, ½) for ReLU with RMSNorm, the same coins as in
:mod:`bench.theory.laws`; k = n for linear with RMSNorm, n - 1 with LayerNorm, which keeps the directions beside (1, …, 1).
The part of z in the living units has the squared length (σ²/n) ‖h_{l-1}‖² χ²_k, and that of δ_l, beside it, k - 1
dimensions. Lengths cancel, σ is in block 1 alone, and

    ‖∂y/∂W_1‖² = n²/σ² · F_1 ⋯ F_{L-2} · T_{L-1}        F = χ²_{k-1} / χ²_k
    T = Beta((k-1)/2, (n-k+1)/2) / χ²_k                                     (after=true, or linear)
    T = Beta(k/2, (n-k)/2) Beta((n-1)/2, ½) / χ²_n                          (ReLU of what is normalized)

all independent given the k. Of orthogonal weights n takes the place of n², Beta(k/2, (n-k)/2) that of χ²_k,
Beta((k-1)/2, (n-k)/2) that of χ²_{k-1}, and 1 that of χ²_n. At depth 2, T_1 shares k and χ²_k with F_1; with ReLU of what is
normalized it shares χ²_n, and χ²_k = S χ²_n, S ~ Beta(k/2, (n-k)/2), with its second Beta, 1 - S c²:

    -Cov(ln S, ln(1 - S c²)) = Σ_j (½)_j / (j (n/2)_j) · (ψ(k/2 + j) - ψ(k/2) - ψ(n/2 + j) + ψ(n/2))

With LayerNorm all T share the part of u beside (1, …, 1), Beta((n-1)/2, ½). (Sets of living units share the |u_i|, which is
of order 1/n³ and left out.) A layer of k ≤ 1 has nothing beside what is normalized: where more than 10^-3 of networks have
one there is no law.

**The 10^-5 in a normalization**: with e_l = 10^-5 / (mean square of what block l normalizes), block l hands back
1/√(1 + e_l) of what is beside, and its output is shorter by as much, which the next block undoes: of all of it
1/√(1 + e_{L-1}) is left, and that is in the mean here. What a normalization does not take away is of order e in δ_l, e² in
its square. Where e may be above 0.01 (ReLU at σ below 0.045) there is no law.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from bench.theory.ends import Case, Ends
from bench.theory.finite_width import RARE
from bench.theory.steps import FAR, Moments, chi_square

EPSILON, MOST = 1e-5, 0.01  # what a normalization adds to a mean square; and its largest part of that
TERMS = 100  # of the sum over j


def normed(case: Case) -> Ends | None:
    """phi(N(W h)); after: N(phi(W h))."""
    setting, rms = case.setting, case.setting.given.get("norm", "layer") == "rms"
    linear, relu = setting.phi.is_linear, setting.phi.negative_slope == 0
    if case.biased or case.kind == "identity" or not (linear or (relu and rms)):
        return None
    before = relu and not setting.says("after")
    share = 0.5 if relu else 1.0  # of the mean square, that living units keep
    power, of_input = 2 * math.log(setting.std), 2 * math.log(setting.input_norm)
    less = softened(power + math.log(share), power + of_input + (0 if before else math.log(share)), case)
    if less is None:
        return None
    living = setting.width if relu or rms else setting.width - 1
    return _normed(setting.width, setting.depth, living, relu, before, case.kind == "iid", less, setting.std)


def softened(later: float, first: float, case: Case) -> tuple[float, float] | None:
    """-ln(1 + e) at depth L and at depth 2; ln of the mean squares of what later blocks and the first one normalize."""
    if min(later, first) < math.log(EPSILON / MOST):
        return None
    deep, shallow = (-math.log1p(EPSILON * math.exp(-min(each, FAR))) for each in (later, first))
    return (deep if case.setting.depth > 2 else shallow), shallow


class _Part(NamedTuple):
    """Mean and variance of a logarithm, given every k."""

    mean: np.ndarray
    variance: np.ndarray

    def minus(self, other: _Part) -> _Part:
        """Of the quotient of independent ones."""
        return _Part(self.mean - other.mean, self.variance + other.variance)

    def over(self, weight: np.ndarray) -> Moments:
        """Whatever k is."""
        mean = float(weight @ self.mean)
        return Moments(mean, float(weight @ (self.variance + (self.mean - mean) ** 2)))


def _chi(freedom: np.ndarray) -> _Part:
    return _Part(digamma(freedom / 2) + math.log(2), polygamma(1, freedom / 2))


def _beta(freedom: np.ndarray, of: int) -> _Part:
    """Of Beta(freedom/2, (of - freedom)/2), which is 1 where they are equal."""
    return _Part(digamma(freedom / 2) - digamma(of / 2), polygamma(1, freedom / 2) - polygamma(1, of / 2))


@lru_cache(maxsize=4096)
def _normed(
    width: int,
    depth: int,
    living: int,
    relu: bool,
    before: bool,
    gaussian: bool,
    softened: tuple[float, float],
    std: float,
) -> Ends | None:
    n = width
    k, weight, alive = _living(n) if relu else (np.array([living]), np.ones(1), 1.0)
    if not len(k) or k[0] < 2 or depth * (1 - alive) > RARE:
        return None
    kept = _chi(k) if gaussian else _beta(k, n)
    factor = (_chi(k - 1) if gaussian else _beta(k - 1, n - 1)).minus(kept)
    if before:
        readout = _beta(k, n)  # the part of T that knows k
        whole = chi_square(n) if gaussian else Moments(0.0, 0.0)
        top = readout.over(weight).plus(float(digamma((n - 1) / 2) - digamma(n / 2)) - whole.mean)
        top = top.plus(0.0, float(polygamma(1, (n - 1) / 2) - polygamma(1, n / 2)) + whole.variance)
        same = whole.variance + float(weight @ _same_part(k, n))
    else:
        readout = _beta(k - 1, n).minus(kept)
        top, same = readout.over(weight), float(weight @ kept.variance)
        same += float(_beta(k, n).variance[0]) if not relu else 0.0  # of u, beside (1, …, 1), at both depths
    shared = same + float(weight @ (factor.mean * readout.mean) - (weight @ factor.mean) * (weight @ readout.mean))
    start = (2 if gaussian else 1) * math.log(n) - 2 * math.log(std)
    long = factor.over(weight).times(depth - 2).plus(*top).plus(start + softened[0])
    return Ends(long, top.plus(start + softened[1]), shared, alive ** (depth - 1))


def _living(width: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Numbers of units that are on, from two on, their probabilities, and P(k ≥ 2)."""
    k = np.arange(width + 1)
    logs = gammaln(width + 1) - gammaln(k + 1) - gammaln(width - k + 1) - width * math.log(2)
    weight = np.exp(logs[2:])
    return k[2:], weight / weight.sum(), 1 - (width + 1) * 0.5**width


def _same_part(k: np.ndarray, n: int) -> np.ndarray:
    """-Cov(ln S, ln(1 - S c²)) given every k."""
    j = np.arange(1, TERMS + 1)[:, None]
    moment = np.exp(gammaln(j + 0.5) - gammaln(0.5) - gammaln(j + n / 2) + gammaln(n / 2))
    moved = digamma(k / 2 + j) - digamma(k / 2) - digamma(n / 2 + j) + digamma(n / 2)
    return (moment / j * moved).sum(axis=0)
