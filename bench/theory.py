"""Exact laws of gradient norms, derived without the engine; tests hold each against the other.

Both laws are for ``loss="output"``, ``bias_std=0`` and weights drawn iid N(0, 1/n) (``gaussian``), any width n and depth L.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import digamma, polygamma
from scipy.stats import binom

LN_10 = float(np.log(10))


class Law(NamedTuple):
    """Mean and variance of log10 ‖∂y/∂W_1‖_F over seeds, given that it is not zero, and the probability of that."""

    mean: float
    variance: float
    alive: float


def gaussian_linear(width: int, depth: int, scale: float) -> Law:
    """Linear activations.

    ``‖∂y/∂W_1‖ = √n ‖δ_1‖`` with ``δ_1 = W_2ᵀ ⋯ W_{L-1}ᵀ u``. For a fixed vector v, ``Wᵀ v`` is N(0, σ²‖v‖²/n) in every
    component, so each of the L - 2 factors multiplies ‖·‖² by an independent σ² χ²_n / n. With ψ the digamma function,
    E ln χ²_n = ψ(n/2) + ln 2 and Var ln χ²_n = ψ'(n/2). The mean is below log10 σ although E χ²_n / n = 1.
    """
    mean = np.log(scale) + (digamma(width / 2) + np.log(2 / width)) / 2
    variance = polygamma(1, width / 2) / 4
    factors = depth - 2
    return Law(float(np.log(width) / 2 + factors * mean) / LN_10, float(factors * variance) / LN_10**2, 1.0)


def gaussian_relu(width: int, depth: int, scale: float) -> Law:
    """ReLU activations; He's scheme is scale √2.

    ``δ_l = D_l W_{l+1}ᵀ δ_{l+1}`` and ``δ_{L-1} = D_{L-1} u``, where D_l keeps the units with z_l > 0. Given h_{l-1}, the
    signs of z_l are fair coins independent of each other and of everything below, so layer l has k_l ~ Binomial(n, ½)
    active units. The rows of W_{l+1} that D_{l+1} keeps are not Gaussian along h_l (that component is positive), but u is
    uniform on the sphere: its signs are independent of all else and make ``W_{L-1}ᵀ D_{L-1} u`` an isotropic Gaussian
    vector independent of h_{L-2}; its direction is uniform again, and so on down. Hence

    * ``‖D_{L-1} u‖²`` is Beta(k/2, (n-k)/2): E ln = ψ(k/2) - ψ(n/2), Var ln = ψ'(k/2) - ψ'(n/2) given k (1 for k = n);
    * each of the L - 2 layers below multiplies ‖δ‖² by σ² χ²_k / n: E ln = ln(2σ²/n) + ψ(k/2), Var ln = ψ'(k/2) given k.

    A layer with k = 0 is all off: it, its output and every gradient are exactly zero (log10 = -inf). That happens to no
    layer with probability (1 - 2⁻ⁿ)^(L-1); mean and variance are given that, i.e. over k ≥ 1.
    """
    active = np.arange(1, width + 1)
    weight = binom.pmf(active, width, 0.5)
    weight /= weight.sum()
    center = weight @ digamma(active / 2)
    within = weight @ polygamma(1, active / 2)
    spread = within + weight @ (digamma(active / 2) - center) ** 2
    factors = depth - 2
    mean = np.log(width) + center - digamma(width / 2) + factors * (np.log(2 * scale**2 / width) + center)
    variance = spread - polygamma(1, width / 2) + factors * spread
    alive = (1 - 0.5**width) ** (depth - 1)
    return Law(float(mean) / 2 / LN_10, float(variance) / 4 / LN_10**2, float(alive))
